import type { Predictor } from './predictor.ts';

/** The models of a pipeline by name, known from the start, and what predicts by them once it is there. */
export interface Predictions {
  /** The pipeline's name, which is the served model's in the inference protocol. */
  readonly name: string;
  /** Key of the served model. */
  readonly served: string;
  /** Keys of all models. */
  readonly models: readonly string[];
  /** What answers while there is no version. */
  readonly unready: string;
  predictor(): Predictor | null;
  /** Told how many rows an answer predicts. */
  onPredicted(rows: number): void;
}
