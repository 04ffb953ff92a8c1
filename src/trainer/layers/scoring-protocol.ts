/** What passes between `LayersScoring` and its thread: the answers come in the order of the requests. */

/** What the thread is started with. */
export interface ScoringSetup {
  /** `model.json` by the name of the model. */
  readonly files: Readonly<Record<string, string>>;
  readonly featureCount: number;
  readonly outputCount: number;
}

/** A weight, and how many numbers it has. */
export interface WeightSize {
  readonly name: string;
  readonly size: number;
}

/** The models are built. */
export interface ScoringReady {
  readonly type: 'ready';
  /** By the name of the model. */
  readonly weights: Readonly<Record<string, readonly WeightSize[]>>;
}

/** Rows to predict. */
export interface ScoringRequest {
  readonly model: string;
  /** In the order of `ScoringReady`; null where the model has them since the request before. */
  readonly weights: readonly Float32Array[] | null;
  readonly rowCount: number;
  /** [rowCount × featureCount], row-major, standardized. */
  readonly features: Float32Array;
}

/** Raw, [rowCount × outputCount]. */
export type ScoringAnswer = Float32Array;
