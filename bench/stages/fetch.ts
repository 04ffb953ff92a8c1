import { measure } from '../measure.ts';
import { readSource } from '../read-source.ts';
import type { Stage } from '../stages.ts';
import { jobConfig, sourceOf, topicRecords, topics } from '../workload.ts';

/** The `kafka` source alone. */
export const fetchRecords: Stage = async (input) => {
  const config = jobConfig(input, sourceOf('kafka', topics.short, input));
  const once = () => readSource(config, topicRecords(input).short);
  return [await measure('fetch', input.repetition, once)];
};
