/** What the prediction routes need of a pipeline; `service/` hands it in. */

/** Rows as operators make them, before normalization. */
export interface RawRows {
  readonly rowCount: number;
  /** [rowCount × featureCount], row-major, original units; NaN is missing. */
  readonly features: Float64Array;
  /** The target that a row itself has, original units or class index, [rowCount]; NaN where it has none. */
  readonly ownTargets: Float64Array;
  /** Ids of the key table, [rowCount]; -1 where the key was never seen. */
  readonly keyIds: Int32Array;
}

/** What is wrong with a field of a posted row. */
export interface FieldFault {
  readonly row: number;
  /** '' where the row itself is wrong. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/** Posted records turned into rows; of no use where there are faults. */
export interface PostedRows {
  readonly rows: RawRows;
  readonly faults: readonly FieldFault[];
  /** Wanted fields that are missing, by row. */
  readonly missing: readonly (readonly string[])[];
}

/** How far the records reach that a version was trained on. */
export interface TrainedThrough {
  /** Event time of the newest row, ISO 8601; null where none was learned. */
  readonly time: string | null;
  /** Next offset by `topic:partition`. */
  readonly positions: Readonly<Record<string, number>>;
}

/** One state of the models that never changes: whoever holds it answers from it alone. */
export interface ServedVersion {
  /** The checkpoint that it was made from. */
  readonly id: string;
  /** Steps of the served model. */
  readonly step: number;
  readonly trainedThrough: TrainedThrough;
  /** Names of the classes known, by index; null for regression. */
  readonly classes: readonly string[] | null;
  /** Why a model cannot answer from features alone; null where it can. */
  refusal(model: string): string | null;
  /** [rowCount × 1] in original units, or probabilities [rowCount × classes]. */
  predict(model: string, rows: RawRows): Promise<Float64Array>;
}

/** A field that posted records may have. */
export interface RecordField {
  readonly name: string;
  readonly type: 'number' | 'text';
  /** Rows without it are refused; others may lack it, as records of the stream may. */
  readonly isRequired: boolean;
}

/** A pipeline that predicts. Its keyed state is live, its version is replaced as a whole. */
export interface Predictor {
  readonly fields: readonly RecordField[];
  /** Names of the columns that models see before normalization. */
  readonly columns: readonly string[];
  readonly task: 'regression' | 'classification';
  /** Null before the first checkpoint. */
  readonly version: ServedVersion | null;
  rowsOf(records: readonly unknown[]): PostedRows;
  /** Rows of features that somebody else derived, [rowCount × columns]. */
  rowsOfFeatures(features: Float64Array): RawRows;
}
