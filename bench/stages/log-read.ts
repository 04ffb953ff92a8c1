import { measure } from '../measure.ts';
import { readSource } from '../read-source.ts';
import type { Stage } from '../stages.ts';
import { jobConfig, sourceOf, topicRecords, topics } from '../workload.ts';

/** The `log` source alone. */
export const logRead: Stage = async (input) => {
  const config = jobConfig(input, sourceOf('log', topics.long, input));
  const once = () => readSource(config, topicRecords(input).long);
  return [await measure('logRead', input.repetition, once)];
};
