/** What we want to be measured against a peer, and by how much better. */
export interface Goal {
  /** Name of the figure. */
  readonly figure: string;
  readonly peer: string;
  /** How many times better than the peer's, at least. */
  readonly times: number;
}

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const stepTimes = { 32: 2, 256: 2, 1024: 1.8, 4096: 1.3 };
const stepPeers = ['PyTorch Adam', 'PyTorch fused Adam', 'TensorFlow tf.function'];
const jobPeers = ['PyTorch', 'tf.function', 'River'];

/** All goals, in the order of the page. */
export const goals: readonly Goal[] = [
  ...codecs.flatMap((codec) =>
    [1, 8].flatMap((partitions) => [
      { figure: `fetch.${codec}.${partitions}.rowsPerSecond`, peer: 'kafkajs', times: 4 },
      { figure: `fetch.${codec}.${partitions}.cpuSecondsPerMillion`, peer: 'librdkafka', times: 1 },
    ]),
  ),
  { figure: 'decode.avro.rowsPerSecond', peer: 'avsc', times: 8 },
  { figure: 'decode.avro.rowsPerSecond', peer: 'fastavro', times: 60 },
  ...Object.entries(stepTimes).flatMap(([rows, times]) =>
    stepPeers.map((peer) => ({ figure: `step.${rows}.msPerStep`, peer, times })),
  ),
  ...jobPeers.map((peer) => ({ figure: 'endToEnd.kafka.cpuSecondsPerMillion', peer, times: 8 })),
];
