import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RowCodec } from '../../codecs/row-codec.ts';
import type { PredictionRecord } from '../../codecs/prediction-codec.ts';
import type { DeadLetter } from '../../dead-letters/dead-letters.ts';
import type { FeaturePlan } from '../../operators/feature-plan.ts';
import type { FeatureRows } from '../../operators/feature-state.ts';
import type { DecodedColumns, RecordBlock, RejectReason } from '../../records.ts';
import { predictionValue } from '../../serving/prediction-value.ts';
import type { ServedVersion } from '../../serving/predictor.ts';
import type { OutgoingRecord } from '../../sources/kafka/outgoing-records.ts';
import { bytesOf, letterOf } from '../letters/letter-of.ts';
import type { LivePredictor } from '../versions/live-predictor.ts';
import type { ScoringFields } from './scoring-fields.ts';

/** Rows predicted before others get their turn on this thread: training and requests go on meanwhile. */
const turnRows = 64;

/** A block whose records are columns now, and the letters of those that cannot be. */
export interface ScorableBlock {
  readonly block: RecordBlock;
  readonly columns: DecodedColumns;
  readonly letters: readonly DeadLetter[];
}

/** What became of the records of a block: each is predicted, or a dead letter. */
export interface ScoredBlock {
  readonly predictions: readonly OutgoingRecord[];
  readonly letters: readonly DeadLetter[];
}

export interface BlockScorerParts {
  readonly codec: RowCodec;
  readonly fields: ScoringFields;
  readonly plan: FeaturePlan;
  readonly predictor: LivePredictor;
  /** Key of the model in the configuration. */
  readonly served: string;
  readonly encode: (prediction: PredictionRecord) => Buffer;
}

/** Predicts the records of blocks as `POST /v1/predict` would. */
export class BlockScorer {
  readonly #parts: BlockScorerParts;

  constructor(parts: BlockScorerParts) {
    this.#parts = parts;
  }

  /** What the codec needs for the block is there already. */
  decode(block: RecordBlock): ScorableBlock {
    const letters: DeadLetter[] = [];
    const columns = this.#parts.codec.decode(block, (recordIndex, reason, detail) => {
      letters.push(letterOf(block, recordIndex, reason, detail));
    });
    return { block, columns, letters };
  }

  /** By one version, with features from the state that the stream is at. */
  async score({ block, columns, letters: undecodable }: ScorableBlock, version: ServedVersion): Promise<ScoredBlock> {
    const { fields, predictor, served } = this.#parts;
    const rows = fields.widened(columns);
    const predictions: OutgoingRecord[] = [];
    const letters = [...undecodable];
    const refuse = (index: number, { reason, detail }: Fault): void => {
      letters.push(letterOf(block, columns.recordIndexes[index]!, reason, detail));
    };
    const good = this.#goodRows(columns, rows, refuse);
    for (let start = 0; start < good.length; start += turnRows) {
      if (start > 0) await nextTurn();
      const indexes = good.slice(start, start + turnRows);
      const outputs = await version.predict(served, predictor.rowsAt(rows, indexes));
      const width = version.classes?.length ?? 1;
      for (const [row, index] of indexes.entries()) {
        const isFinite = outputs.subarray(row * width, (row + 1) * width).every(Number.isFinite);
        if (isFinite) predictions.push(this.#record(block, columns, index, outputs, row, version));
        else refuse(index, notFinite);
      }
    }
    columns.recycle?.();
    return { predictions, letters };
  }

  /** Indexes of the rows that have what nothing can be predicted without. */
  #goodRows(columns: DecodedColumns, rows: FeatureRows, refuse: (index: number, fault: Fault) => void): number[] {
    const good: number[] = [];
    for (let index = 0; index < columns.rowCount; index += 1) {
      const fault = this.#faultOf(columns, rows, index);
      if (fault === null) good.push(index);
      else refuse(index, fault);
    }
    return good;
  }

  #faultOf({ times }: DecodedColumns, rows: FeatureRows, index: number): Fault | null {
    const { plan, predictor } = this.#parts;
    const lacking = predictor.lackedBy(rows, index);
    if (lacking !== null) {
      return { reason: lacking === plan.key ? 'key.missing' : 'target.missing', detail: `${lacking} is missing` };
    }
    if (plan.time === null || !Number.isNaN(times[0]![index]!)) return null;
    return { reason: 'time.missing', detail: `${plan.time} is missing` };
  }

  #record(
    block: RecordBlock,
    { recordIndexes, times }: DecodedColumns,
    index: number,
    outputs: Float64Array,
    row: number,
    version: ServedVersion,
  ): OutgoingRecord {
    const { topic, partition } = block;
    const recordIndex = recordIndexes[index]!;
    const { value: prediction, ...more } = predictionValue(outputs, row, version.classes);
    const eventTime = times[0]?.[index] ?? block.timestampsMs[recordIndex]!;
    const position = { topic, partition, offset: block.offsets[recordIndex]! };
    return {
      key: bytesOf(block, block.keyStarts[recordIndex]!, block.keyLengths[recordIndex]!),
      value: this.#parts.encode({ prediction, ...more, modelVersion: version.id, ...position, eventTime }),
      headers: [],
      timestampMs: Date.now(),
    };
  }
}

interface Fault {
  readonly reason: RejectReason;
  readonly detail: string;
}

const notFinite: Fault = {
  reason: 'prediction.notFinite',
  detail: 'the prediction is not finite: the features are far outside of what the model has seen',
};
