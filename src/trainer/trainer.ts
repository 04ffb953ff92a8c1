import type { Batch, Snapshot, StepReport } from '../records.ts';
import type { LossOptions } from './regression-loss.ts';
import type { OptimizerOptions } from './update-rules.ts';

/** One model of the config: a bare name or a name with options, validated in `config/`. */
export type LearnerSpec =
  | { readonly kind: 'lastValue' | 'mean' | 'majority' | 'linear' }
  | { readonly kind: 'mlp'; readonly hidden: readonly number[]; readonly activation: 'relu' | 'tanh' | 'sigmoid' }
  /** A LayersModel of TensorFlow.js; `file` is its `model.json`. */
  | { readonly kind: 'layers'; readonly file: string };

/** How nets and linear models learn. */
export interface TrainingOptions {
  readonly optimizer: OptimizerOptions;
  /** Of regression; classes are learned by cross-entropy. */
  readonly loss: LossOptions;
  readonly learningRate: number;
  /** Largest Euclidean norm of all gradients of a model together; null means no clipping. */
  readonly clipNorm: number | null;
  /** In which numbers nets compute products; bfloat16 is for the tensorflow backend. Weights are float32 in any case. */
  readonly precision: 'float32' | 'bfloat16';
}

/** An engine that can train. */
export type BackendName = 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';

/** Everything that a trainer needs to know; structured-cloneable, since it travels to the worker. */
export interface TrainerOptions {
  readonly featureCount: number;
  readonly task: 'regression' | 'classification';
  /** Outputs of a classifier: the most classes that can be told apart. 1 for regression. */
  readonly maxClasses: number;
  /** Null: the label of a row is its own target. */
  readonly horizonMs: number | null;
  readonly toleranceMs: number;
  readonly targetAs: 'value' | 'change';
  readonly models: Readonly<Record<string, LearnerSpec>>;
  /** Name of the model whose fate decides the outcome of a row. */
  readonly served: string;
  readonly training: TrainingOptions;
  readonly backend: BackendName | 'auto';
  /** Rows in one batch at the most. */
  readonly batchRows: number;
  /** The fading window of `recent` scores, in scored rows. */
  readonly scoresMemory: number;
  readonly pendingRows: number;
  readonly ringBytes: number;
  readonly seed: number;
  /** True where every report shall carry the scored predictions (`evaluate`). */
  readonly wantsPredictions: boolean;
}

/** Which engine runs the steps, and why better ones do not. */
export interface BackendChoice {
  readonly name: BackendName;
  /** What computes; empty where no model needs an engine. */
  readonly device: string;
  readonly refused: readonly { readonly name: BackendName; readonly reason: string }[];
  /** Models that the tensorflow backend runs op by op, and why their steps could not be one graph. */
  readonly eager: readonly { readonly model: string; readonly reason: string }[];
}

/** The worker behind one interface. Errors are fatal and reach `failed`. */
export interface Trainer {
  readonly backend: BackendChoice;
  /**
   * Resolves when the batch is in the ring. The trainer predicts every row with the weights before the batch,
   * matches labels, scores, then learns the matched rows.
   */
  observe(batch: Batch): Promise<void>;
  /** One report per batch, in order. */
  onReport(listener: (report: StepReport) => void): void;
  /** State after all batches observed so far; every report before it has been delivered when it resolves. */
  snapshot(): Promise<Snapshot>;
  /** Batches in the ring and its capacity, in slots. */
  readonly ring: { readonly depth: number; readonly slots: number };
  /** Rejects with a `TrainerError` when the trainer dies; never resolves. */
  readonly failed: Promise<never>;
  /** Learns what is in the ring, then ends the worker. */
  close(): Promise<void>;
}
