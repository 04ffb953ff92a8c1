import * as tf from '@tensorflow/tfjs-core';
import { dataTypes, type NodeBackend } from './graph/addon.ts';
import { type AddonOps, type RawTensor, withAddonOps } from './graph/addon-ops.ts';
import type { Inputs } from './graph/compiled-step.ts';
import type { InputSpec, Tensors } from './graph/emit-function.ts';
import type { KnownClasses } from './known-classes.ts';
import type { Rows } from './learner.ts';
import type { LossOptions } from './regression-loss.ts';
import { TargetScale } from './target-scale.ts';

/** What a graph makes of raw outputs and labels. */
export interface GraphSlopes {
  /** Mean over the rows, a scalar. */
  readonly loss: tf.Tensor;
  /** d loss / d output, [rowCount, outputCount]. */
  readonly slopes: tf.Tensor2D;
  /** Their sum over the rows, [outputCount]: the gradient of the last bias. */
  readonly bias: tf.Tensor;
}

/**
 * An `OutputHead` inside a graph. Both do the same in float64: standardized labels nearly cancel in the first step, and Adam would
 * make a whole step of the rounding of float32.
 */
export interface GraphHead {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** With the facts staged by the batch. */
  feeds(rows: Rows, labels: Float64Array): Inputs;
  slopes(outputs: tf.Tensor, inputs: Tensors, rowCount: number): GraphSlopes;
}

const { float32, float64, int32 } = dataTypes;

/** The graph head of the task that the facts are of. `maxClasses` is for classes, `loss` for regression only. */
export function graphHead(facts: TargetScale | KnownClasses, maxClasses: number, loss: LossOptions): GraphHead {
  return facts instanceof TargetScale ? regressionGraphHead(facts, loss) : classificationGraphHead(facts, maxClasses);
}

/** One standardized output; the loss is the mean over the rows. */
function regressionGraphHead(scale: TargetScale, options: LossOptions): GraphHead {
  const column: InputSpec = { shape: [null, 1], dtype: 'float32' };
  return {
    // TensorFlow.js has no float64: what rounding took off a label is fed beside it.
    inputs: { labels: column, remainders: column },
    feeds: (rows, labels) => {
      const wanted = scale.standardizedLabels(rows, labels);
      const rounded = Float32Array.from(wanted);
      const remainders = new Float32Array(rows.rowCount);
      for (let i = 0; i < rows.rowCount; i++) remainders[i] = wanted[i]! - rounded[i]!;
      return { labels: rounded, remainders };
    },
    slopes: (outputs, { labels, remainders }, rowCount) =>
      inFloat64(rowCount, (math) => {
        const wanted = math.binary('AddV2', math.double(labels!), math.double(remainders!));
        const errors = math.binary('Sub', math.double(outputs), wanted);
        const { total, slopes } = costs(math, errors, options);
        return { loss: math.binary('RealDiv', total, math.rows), slopes: math.binary('RealDiv', slopes, math.rows) };
      }),
  };
}

/** The cost of all errors together, and the slope of each one's, as `regressionLoss` has them. */
function costs(math: Math64, errors: RawTensor, options: LossOptions): { total: RawTensor; slopes: RawTensor } {
  const scalar = (value: number): RawTensor => math.double(tf.scalar(value));
  switch (options.kind) {
    case 'mse':
      // L2Loss is half the sum of the squares.
      return {
        total: math.binary('Mul', math.unary('L2Loss', errors), scalar(2)),
        slopes: math.binary('Mul', errors, scalar(2)),
      };
    case 'mae':
      return { total: math.sum(math.unary('Abs', errors), [0, 1]), slopes: math.unary('Sign', errors) };
    case 'huber': {
      const { delta } = options;
      const slopes = math.binary('Maximum', math.binary('Minimum', errors, scalar(delta)), scalar(-delta));
      const rest = math.binary('Sub', errors, math.binary('Mul', slopes, scalar(0.5)));
      return { total: math.sum(math.binary('Mul', slopes, rest), [0, 1]), slopes };
    }
  }
}

/** A softmax over the known classes; the loss is the mean cross-entropy in nats. */
function classificationGraphHead(classes: KnownClasses, maxClasses: number): GraphHead {
  return {
    inputs: {
      labels: { shape: [null], dtype: 'int32' },
      // Added to the outputs: 0 where the class is known, else so low that its probability is 0.
      mask: { shape: [maxClasses], dtype: 'float32' },
    },
    feeds: (rows, labels) => ({
      labels: Int32Array.from(labels.subarray(0, rows.rowCount)),
      mask: Float32Array.from({ length: maxClasses }, (_, k) => (k < classes.next ? 0 : -3e38)),
    }),
    slopes: (outputs, { labels, mask }, rowCount) =>
      inFloat64(rowCount, (math) => {
        const { ops } = math;
        const masked = math.binary('AddV2', math.double(outputs), math.double(mask!));
        const attrs = [ops.type('T', float64), ops.type('Tlabels', int32)];
        const [losses, slopes] = ops.ops('SparseSoftmaxCrossEntropyWithLogits', attrs, [masked, ops.raw(labels!)], 2);
        return {
          loss: math.binary('RealDiv', math.sum(losses!, [0]), math.rows),
          slopes: math.binary('RealDiv', slopes!, math.rows),
        };
      }),
  };
}

/** Arithmetic on float64. */
interface Math64 {
  readonly ops: AddonOps;
  /** The number of rows, a scalar. */
  readonly rows: RawTensor;
  double(tensor: tf.Tensor): RawTensor;
  unary(op: string, value: RawTensor): RawTensor;
  binary(op: string, a: RawTensor, b: RawTensor): RawTensor;
  /** Over these axes. */
  sum(value: RawTensor, axes: readonly number[]): RawTensor;
}

/** Makes the results of a mean loss and slopes by row and output, both in float64. */
function inFloat64(
  rowCount: number,
  work: (math: Math64) => { readonly loss: RawTensor; readonly slopes: RawTensor },
): GraphSlopes {
  const made = withAddonOps(tf.backend() as unknown as NodeBackend, (ops) => {
    const T = ops.type('T', float64);
    const cast = (value: RawTensor, from: number, to: number): RawTensor =>
      ops.op('Cast', [ops.type('SrcT', from), ops.type('DstT', to)], [value]);
    const unary: Math64['unary'] = (op, value) => ops.op(op, [T], [value]);
    const binary: Math64['binary'] = (op, a, b) => ops.op(op, [T], [a, b]);
    const double: Math64['double'] = (tensor) => cast(ops.raw(tensor), float32, float64);
    const sum: Math64['sum'] = (value, axes) => {
      const over = ops.raw(tf.tensor1d([...axes], 'int32'));
      return ops.op('Sum', [T, ops.type('Tidx', int32)], [value, over]);
    };
    const { loss, slopes } = work({ ops, rows: double(tf.scalar(rowCount)), double, unary, binary, sum });
    const float = (value: RawTensor): RawTensor => cast(value, float64, float32);
    // Summed before they are rounded.
    return { loss: float(loss), slopes: float(slopes), bias: float(unary('BiasAddGrad', slopes)) };
  });
  return { loss: made.loss, slopes: made.slopes as tf.Tensor2D, bias: made.bias };
}
