import type { Position } from '../records.ts';
import { avroEncoder } from './avro-encoder.ts';

/** What is written for one record that was predicted. */
export interface PredictionRecord extends Pick<Position, 'topic' | 'partition'> {
  /** Original units of the target, or the likeliest class, null while no class is known. */
  readonly prediction: number | string | null;
  /** By class; for classification only. */
  readonly probabilities?: Readonly<Record<string, number>>;
  /** The checkpoint that the model was taken from. */
  readonly modelVersion: string;
  /** Of the record that was predicted. */
  readonly offset: number;
  /** Unix ms. */
  readonly eventTime: number;
}

type Task = 'regression' | 'classification';

/** The Avro schema of predictions, as JSON text. */
export function predictionSchema(task: Task): string {
  const result = {
    regression: [{ name: 'prediction', type: 'double', doc: 'In original units of the target' }],
    classification: [
      { name: 'prediction', type: ['null', 'string'], doc: 'The likeliest class; null while no class is known' },
      { name: 'probabilities', type: { type: 'map', values: 'double' }, doc: 'By class' },
    ],
  }[task];
  return JSON.stringify({
    type: 'record',
    name: 'Prediction',
    namespace: 'millrace',
    fields: [
      ...result,
      { name: 'modelVersion', type: 'string', doc: 'The checkpoint that the model was taken from' },
      { name: 'topic', type: 'string', doc: 'Topic, partition and offset of the record that was predicted' },
      { name: 'partition', type: 'int' },
      { name: 'offset', type: 'long' },
      { name: 'eventTime', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ],
  });
}

/** Writes predictions in Confluent framing, under the id that their schema has. */
export function predictionEncoder(task: Task, schemaId: number): (prediction: PredictionRecord) => Buffer {
  return avroEncoder(predictionSchema(task), schemaId);
}
