import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchRecordCount, fetchTopics } from '../fetch-topics.ts';
import type { StageInput } from '../stages.ts';
import { encodedReadings, topics } from '../workload.ts';
import type { Peers } from './install-peers.ts';
import type { PeerCommand } from './run-peer.ts';

/** A program that does what one of our subjects does. */
export interface Peer {
  /** Of the table of subjects: what of ours it is compared with. */
  readonly subject: string;
  readonly name: string;
  readonly command: PeerCommand;
  /** True where the command itself warms up and tells of all runs; else it is started anew for each. */
  readonly repeats: boolean;
}

/** All peers that can run with what is installed. `dir` is for files that they read. */
export function peersOf(peers: Peers, input: StageInput, dir: string): readonly Peer[] {
  return [
    ...fetchPeers(peers, input),
    ...decodePeers(peers, input, dir),
    ...stepPeers(peers, input),
    ...jobPeers(peers, input),
  ];
}

function fetchPeers({ fetch }: Peers, input: StageInput): readonly Peer[] {
  if (fetch === null) return [];
  return fetchTopics.map(({ name, partitions }) => {
    const args = [input.bootstrap, name, String(partitions), String(fetchRecordCount(input))];
    return { subject: name, name: 'librdkafka', command: { program: fetch, args }, repeats: false };
  });
}

const wantedFields = ['sensorId', 'measuredAt', 'temperature', 'humidity', 'pressure', 'vibration', 'load', 'power'];

function decodePeers({ python }: Peers, input: StageInput, dir: string): readonly Peer[] {
  const valuesFile = join(dir, 'values');
  writeFileSync(valuesFile, framed(encodedReadings('avro', input)));
  const runs = String(input.repetition.runs);
  const args = [input.schemaFile, valuesFile, input.isShort ? '5000' : '100000', runs, ...wantedFields];
  const avsc = fileURLToPath(new URL('./avsc-decode.ts', import.meta.url));
  return [
    {
      subject: 'decode.avro',
      name: 'fastavro',
      command: { program: python, args: ['decode.py', ...args] },
      repeats: true,
    },
    {
      subject: 'decode.avro',
      name: 'avsc',
      command: { program: process.execPath, args: ['--import', 'tsx', avsc, ...args] },
      repeats: true,
    },
  ];
}

/** Each message behind its length, 4 bytes, little-endian. */
function framed(messages: readonly Buffer[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(4);
      length.writeInt32LE(message.length);
      return [length, message];
    }),
  );
}

/** Of ours, the sizes of the net and numbers of rows. */
const stepNets = [
  { prefix: 'step', sizes: [8, 64, 64, 1], rowCounts: [32, 256, 1024, 4096], rowsInARun: 120_000 },
  { prefix: 'largeStep', sizes: [64, 512, 512, 1], rowCounts: [1024, 8192], rowsInARun: 20_000 },
];
const stepLearners = {
  'PyTorch Adam': 'torch',
  'PyTorch fused Adam': 'torch-fused',
  'TensorFlow tf.function': 'tensorflow',
};

/** With one thread: with two, PyTorch was several times slower at 1,024 rows on a busy machine of two cores. */
function stepPeers({ python }: Peers, { isShort, repetition }: StageInput): readonly Peer[] {
  return stepNets.flatMap(({ prefix, sizes, rowCounts, rowsInARun }) =>
    rowCounts.flatMap((rowCount) => {
      const steps = isShort ? 5 : Math.max(5, Math.round(rowsInARun / (rowCount + 100)));
      return Object.entries(stepLearners).map(([name, learner]) => {
        const args = ['step.py', learner, rowCount, steps, repetition.runs, ...sizes].map(String);
        const command = { program: python, args, env: withThreads(1) };
        return { subject: `${prefix}.${rowCount}`, name, command, repeats: true };
      });
    }),
  );
}

const jobLearners = { PyTorch: 'torch-fused', 'tf.function': 'tensorflow', River: 'river' };

/** The same job in Python, with one thread for the learner. */
function jobPeers({ python }: Peers, input: StageInput): readonly Peer[] {
  const count = input.isShort ? 2000 : 100_000;
  return Object.entries({ 'endToEnd.kafka': 256, 'endToEnd.kafka.4096': 4096 }).flatMap(([subject, batchRows]) =>
    Object.entries(jobLearners).map(([name, learner]) => {
      const args = ['pipeline.py', input.bootstrap, topics.long, count, input.schemaFile, learner, batchRows].map(
        String,
      );
      const command = { program: python, args, env: withThreads(1) };
      return { subject, name, command, repeats: false };
    }),
  );
}

function withThreads(threads: number): Readonly<Record<string, string>> {
  return { OMP_NUM_THREADS: String(threads), TF_NUM_INTRAOP_THREADS: String(threads) };
}
