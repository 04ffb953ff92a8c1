import { learnSegments } from '../learn-segments.ts';
import type { Stage } from '../stages.ts';
import { jobConfig, sourceOf, topicRecords, topics } from '../workload.ts';

/** From Kafka to learned until nearly all of a long topic is learned: each million records is a run, the first one too. */
export const sustained: Stage = async (input) => {
  const config = jobConfig(input, sourceOf('kafka', topics.endless, input), 'avro', { batch: { rows: 4096 } });
  const runs = 19;
  const rows = topicRecords(input).endless / (runs + 1);
  return [await learnSegments('sustained', config, rows, { warmUps: 0, runs })];
};
