import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codecs } from '../../src/sources/record-batch/compression.ts';
import type { StageInput } from '../stages.ts';
import { encodedReadings, fetchTopic, partitions, topicRecords, topics } from '../workload.ts';
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
  return [...fetchPeers(peers, input), ...decodePeers(peers, input, dir), ...stepPeers(peers, input), ...jobPeers(peers, input)];
}

function fetchPeers({ fetch }: Peers, input: StageInput): readonly Peer[] {
  if (fetch === null) return [];
  return codecs.map((codec) => {
    const args = [input.bootstrap, fetchTopic(codec), String(partitions), String(topicRecords(input).long)];
    return { subject: `fetch.${codec}`, name: 'librdkafka', command: { program: fetch, args }, repeats: false };
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
    { subject: 'decode.avro', name: 'fastavro', command: { program: python, args: ['decode.py', ...args] }, repeats: true },
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

const nets = { small: { sizes: [8, 64, 64, 1], rows: [32, 256, 1024, 4096] }, large: { sizes: [64, 512, 512, 1], rows: [1024, 8192] } };
const stepLearners = { 'PyTorch Adam': 'torch', 'PyTorch fused Adam': 'torch-fused', 'TensorFlow tf.function': 'tensorflow' };

/** With one thread, which is faster on the small net, and with as many as the machine has, which may be on the large one. */
function stepPeers({ python }: Peers, input: StageInput): readonly Peer[] {
  return Object.entries(nets).flatMap(([net, { sizes, rows }]) =>
    rows.flatMap((rowCount) => {
      const steps = stepsFor(sizes, rowCount, input);
      return Object.entries(stepLearners).flatMap(([name, learner]) => {
        const args = ['step.py', learner, rowCount, steps, input.repetition.runs, ...sizes].map(String);
        return [1, availableParallelism()].map((threads) => ({
          subject: `step.${net}.${rowCount}`,
          name,
          command: { program: python, args, env: threadsOf(threads) },
          repeats: true,
        }));
      });
    }),
  );
}
