import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testCache } from '../../test/support/requirements.ts';
import { figuresOf, type Figure } from '../figures.ts';
import { withKafka } from '../kafka-input.ts';
import { machine } from '../machine.ts';
import type { Run } from '../measure.ts';
import { performancePage } from '../performance-page.ts';
import { runStageApart } from '../run-stage-apart.ts';
import { fillLog } from '../log-input.ts';
import { partitionCounts } from '../scaling.ts';
import { withInput } from '../stage-input.ts';
import type { StageInput, StageName } from '../stages.ts';
import { deepSubjects, subjects } from '../subjects.ts';
import { tableLine } from '../table.ts';
import { partitions, spreadTopic, topicRecords, topics } from '../workload.ts';
import { installPeers } from './install-peers.ts';
import { peersOf, type Peer } from './peers.ts';
import { runPeer } from './run-peer.ts';

const usage = `npm run bench:peers -- [--json FILE] [--page FILE] [--dir DIR]

Measures what Millrace does beside what people use instead: kafkajs and librdkafka, avsc and fastavro, PyTorch and TensorFlow,
and all of them together as one job. Installs the peers (about 6 GB) into DIR, by default below the cache of the tests.

Example:
  npm run bench:peers -- --page docs/performance.md`;

/** Stages with peers. */
const compared: readonly StageName[] = ['decode', 'step', 'largeStep', 'fetch', 'endToEndKafka'];
/** Ours alone, for the page. */
const others: readonly StageName[] = ['derive', 'normalize', 'batch', 'freshness', 'sustained', 'scaling'];

const { values: options } = parseArgs({
  options: { json: { type: 'string' }, page: { type: 'string' }, dir: { type: 'string' }, help: { type: 'boolean' } },
});
if (options.help === true) console.log(usage);
else await benchPeers(options.dir ?? join(testCache, 'peers'));

async function benchPeers(dir: string): Promise<void> {
  const programs = installPeers(dir);
  if (programs.fetch === null)
    console.log('librdkafka is left out: its headers are not installed (Debian: librdkafka-dev)');
  const figures: Figure[] = [];
  const tell = (found: readonly Figure[]): void => {
    for (const figure of found) console.log(tableLine(figure));
    figures.push(...found);
  };
  await withInput(false, async (local, files) => {
    const copies = await fillLogs(local);
    const measureAll = async (input: StageInput): Promise<void> => {
      const peers = peersOf(programs, input, files);
      for (const stage of [...compared, ...others]) {
        tell(await runStageApart(stage, input));
        for (const subject of [...subjects, ...deepSubjects].filter((each) => each.stage === stage)) {
          for (const peer of peers.filter((each) => each.subject === subject.name)) {
            const name = `${subject.name}.${peer.name}`;
            const measured = { subject: name, runs: await runsOf(peer, input.repetition.runs), note: null };
            tell(figuresOf({ ...subject, name, against: peer.name }, measured));
          }
        }
      }
    };
    await withKafka(local, measureAll, copies);
  });
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  if (options.page === undefined) return;
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(options.page, performancePage({ date, commit, machine: machine(), figures }));
}

/** Makes all topics that are learned, and names those that Kafka serves too. */
async function fillLogs(input: StageInput): Promise<readonly string[]> {
  const records = topicRecords(input);
  await fillLog(topics.long, partitions, records.long, input);
  await fillLog(topics.endless, partitions, records.endless, input);
  for (const count of partitionCounts) await fillLog(spreadTopic(count), count, records.long, input);
  return [topics.long, topics.endless, ...partitionCounts.map(spreadTopic)];
}

async function runsOf({ command, repeats }: Peer, count: number): Promise<readonly Run[]> {
  const runs: Run[] = [];
  do runs.push(...(await runPeer(command)));
  while (!repeats && runs.length < count);
  return runs;
}
