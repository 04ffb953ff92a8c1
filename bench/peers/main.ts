import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testCache } from '../../test/support/requirements.ts';
import { figuresOf, type Figure } from '../figures.ts';
import { machine } from '../machine.ts';
import { median, type Run } from '../measure.ts';
import type { Performance } from '../performance-page.ts';
import { runStageApart } from '../run-stage-apart.ts';
import type { StageInput, StageName } from '../stages.ts';
import { subjects } from '../subjects.ts';
import { tableLine } from '../table.ts';
import { withBroker } from '../with-broker.ts';
import { installPeers } from './install-peers.ts';
import { peersOf, type Peer } from './peers.ts';
import { runPeer } from './run-peer.ts';

const usage = `npm run bench:peers -- [--json FILE] [--only STAGE[,STAGE]] [--dir DIR]

Measures what Millrace does beside what people use instead: kafkajs and librdkafka, avsc and fastavro, PyTorch and TensorFlow,
and all of them together as one job. Installs the peers (about 6 GB) into DIR, by default below the cache of the tests.

Example:
  npm run bench:peers -- --json docs/performance.json`;

const { values: options } = parseArgs({
  options: { json: { type: 'string' }, only: { type: 'string' }, dir: { type: 'string' }, help: { type: 'boolean' } },
});
if (options.help === true) console.log(usage);
else await benchPeers(options.dir ?? join(testCache, 'peers'), options.only?.split(','), options.json);

/** Each stage of ours, then the peers of its subjects. */
const compared: readonly StageName[] = ['decode', 'step', 'fetch', 'endToEndKafka'];

async function benchPeers(dir: string, only: readonly string[] = compared, jsonFile?: string): Promise<void> {
  const programs = installPeers(dir);
  const files = mkdtempSync(join(tmpdir(), 'millrace-peers-'));
  const figures: Figure[] = [];
  const tell = (found: readonly Figure[]): void => {
    for (const figure of found) console.log(tableLine(figure));
    figures.push(...found);
  };
  try {
    await withBroker(files, async (input) => {
      const peers = peersOf(programs, input, files);
      for (const stage of compared.filter((name) => only.includes(name))) {
        tell(await runStageApart(stage, input));
        for (const subject of subjects.filter((each) => each.stage === stage)) {
          for (const name of new Set(peersOfSubject(peers, subject.name).map((peer) => peer.name))) {
            const runs = await fastest(
              peersOfSubject(peers, subject.name).filter((peer) => peer.name === name),
              input,
            );
            const measured = figuresOf(subject, { subject: subject.name, runs, note: null });
            tell(measured.map((figure) => ({ ...figure, against: name })));
          }
        }
      }
    });
  } finally {
    rmSync(files, { recursive: true, force: true });
  }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const performance: Performance = { date: new Date().toISOString().slice(0, 10), commit, machine: machine(), figures };
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(performance, null, 2)}\n`);
}

function peersOfSubject(peers: readonly Peer[], subject: string): readonly Peer[] {
  return peers.filter((peer) => peer.subject === subject);
}

/** Runs the ways that a peer can do it, and keeps its best. */
async function fastest(ways: readonly Peer[], { repetition }: StageInput): Promise<readonly Run[]> {
  const secondsOf = (runs: readonly Run[]): number => median(runs.map(({ seconds }) => seconds));
  let best: readonly Run[] = [];
  for (const { command, repeats } of ways) {
    const runs: Run[] = [];
    do runs.push(...(await runPeer(command)));
    while (!repeats && runs.length < repetition.runs);
    if (best.length === 0 || secondsOf(runs) < secondsOf(best)) best = runs;
  }
  return best;
}
