import { learnSegments } from '../learn-segments.ts';
import type { Measurement } from '../measure.ts';
import { scaling } from '../scaling.ts';
import type { Stage } from '../stages.ts';
import { jobConfig, lagFeatures, sourceOf, spreadTopic, topics } from '../workload.ts';

/** From the embedded log, or where partitions are many from Kafka, to learned: the job with one thing made larger. */
export const scale: Stage = async (input) => {
  const measurements: Measurement[] = [];
  for (const { subject, features, batchRows, hidden, partitions, segmentRows } of scaling) {
    const source =
      partitions === null ? sourceOf('log', topics.long, input) : sourceOf('kafka', spreadTopic(partitions), input);
    const config = jobConfig(input, source, 'avro', {
      features: lagFeatures(features),
      models: { main: { mlp: { hidden } } },
      batch: { rows: batchRows },
    });
    measurements.push(await learnSegments(subject, config, input.isShort ? batchRows : segmentRows, input.repetition));
  }
  return measurements;
};
