import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testCache } from '../../test/support/requirements.ts';
import { figuresOf, type Figure } from '../figures.ts';
import { withKafka } from '../kafka-input.ts';
import { machine } from '../machine.ts';
import { median, type Run } from '../measure.ts';
import type { Performance } from '../performance-page.ts';
import { runStageApart } from '../run-stage-apart.ts';
import { withInput } from '../stage-input.ts';
import type { StageName } from '../stages.ts';
import { subjects } from '../subjects.ts';
import { tableLine } from '../table.ts';
import { installPeers } from './install-peers.ts';
import { peersOf, type Peer } from './peers.ts';
import { runPeer } from './run-peer.ts';

const usage = `npm run bench:peers -- [--json FILE] [--dir DIR]

Measures what Millrace does beside what people use instead: kafkajs and librdkafka, avsc and fastavro, PyTorch and TensorFlow,
and all of them together as one job. Installs the peers (about 6 GB) into DIR, by default below the cache of the tests.

Example:
  npm run bench:peers -- --json docs/performance.json`;

const { values: options } = parseArgs({
  options: { json: { type: 'string' }, dir: { type: 'string' }, help: { type: 'boolean' } },
});
if (options.help === true) console.log(usage);
else await benchPeers(options.dir ?? join(testCache, 'peers'), options.json ?? null);

/** Stages with peers. */
const compared: readonly StageName[] = ['decode', 'step', 'fetch', 'endToEndKafka'];
/** Ours alone, for the page. */
const others: readonly StageName[] = ['derive', 'normalize', 'batch', 'freshness'];

async function benchPeers(dir: string, jsonFile: string | null): Promise<void> {
  const programs = installPeers(dir);
  const figures: Figure[] = [];
  const tell = (found: readonly Figure[]): void => {
    for (const figure of found) console.log(tableLine(figure));
    figures.push(...found);
  };
  await withInput(false, (empty, files) =>
    withKafka(empty, async (input) => {
      const peers = peersOf(programs, input, files);
      for (const stage of [...compared, ...others]) {
        tell(await runStageApart(stage, input));
        for (const subject of subjects.filter((each) => each.stage === stage)) {
          const ways = peers.filter((peer) => peer.subject === subject.name);
          for (const against of new Set(ways.map((peer) => peer.name))) {
            const commands = ways.filter((peer) => peer.name === against);
            const name = `${subject.name}.${against}`;
            const measured = { subject: name, runs: await best(commands, input.repetition.runs), note: null };
            tell(figuresOf({ ...subject, name, against }, measured));
          }
        }
      }
    }),
  );
  if (jsonFile === null) return;
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const performance: Performance = { date: new Date().toISOString().slice(0, 10), commit, machine: machine(), figures };
  writeFileSync(jsonFile, `${JSON.stringify(performance, null, 2)}\n`);
}

/** The runs of the fastest of the ways in which a peer can do it. */
async function best(ways: readonly Peer[], count: number): Promise<readonly Run[]> {
  const found: (readonly Run[])[] = [];
  for (const { command, repeats } of ways) {
    const runs: Run[] = [];
    do runs.push(...(await runPeer(command)));
    while (!repeats && runs.length < count);
    found.push(runs);
  }
  const secondsOf = (runs: readonly Run[]): number => median(runs.map(({ seconds }) => seconds));
  return found.reduce((fastest, runs) => (secondsOf(runs) < secondsOf(fastest) ? runs : fastest));
}
