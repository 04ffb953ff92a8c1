/** What we want to be measured against a peer, and by how much better. */
export interface Goal {
  /** Goals of one group are drawn in one chart. */
  readonly group: string;
  /** What is special of it within its group. */
  readonly label: string;
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
  ...fetchGoals('kafkajs', 'rowsPerSecond', 4, 'Fetching: records per second against stock kafkajs'),
  ...fetchGoals('librdkafka', 'cpuSecondsPerMillion', 1, 'Fetching: CPU against librdkafka in C'),
  ...Object.entries({ avsc: 8, fastavro: 60 }).map(([peer, times]) => ({
    group: 'Decoding Avro: records per second',
    label: peer,
    figure: 'decode.avro.rowsPerSecond',
    peer,
    times,
  })),
  ...stepPeers.flatMap((peer) =>
    Object.entries(stepTimes).map(([rows, times]) => ({
      group: `Training step of an 8-64-64-1 net: time against ${peer}`,
      label: `${rows} rows`,
      figure: `step.${rows}.msPerStep`,
      peer,
      times,
    })),
  ),
  ...stepPeers.flatMap((peer) =>
    [1024, 8192].map((rows) => ({
      group: 'Training step of a 64-512-512-1 net: time',
      label: `${peer}, ${rows} rows`,
      figure: `largeStep.${rows}.msPerStep`,
      peer,
      times: 1,
    })),
  ),
  ...Object.entries({ 'endToEnd.kafka': 256, 'endToEnd.kafka.4096': 4096 }).flatMap(([subject, rows]) =>
    jobPeers.map((peer) => ({
      group: 'Kafka to trained: CPU per record against confluent-kafka, fastavro and a learner in Python',
      label: `${peer}, batches of ${rows}`,
      figure: `${subject}.cpuSecondsPerMillion`,
      peer,
      times: 8,
    })),
  ),
];

function fetchGoals(peer: string, kind: string, times: number, group: string): readonly Goal[] {
  return [1, 8].flatMap((partitions) =>
    codecs.map((codec) => {
      const label = `${codec} ${partitions}`;
      return { group, label, figure: `fetch.${codec}.${partitions}.${kind}`, peer, times };
    }),
  );
}
