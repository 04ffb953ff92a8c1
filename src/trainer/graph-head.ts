import * as tf from '@tensorflow/tfjs-core';
import { dataTypes, type NodeBackend } from './graph/addon.ts';
import { type AddonOps, type RawTensor, withAddonOps } from './graph/addon-ops.ts';
import type { Inputs } from './graph/compiled-step.ts';
import type { InputSpec, Tensors } from './graph/emit-function.ts';
import type { KnownClasses } from './known-classes.ts';
import type { Rows } from './learner.ts';
import type { TargetScale } from './target-scale.ts';

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

/** One standardized output; the loss is the mean of (output − label)². */
export function regressionGraphHead(scale: TargetScale): GraphHead {
  return {
    // TensorFlow.js has no float64: what rounding took off a label is fed beside it.
    inputs: { labels: { shape: [null, 2], dtype: 'float32' } },
    feeds: (rows, labels) => {
      const wanted = scale.standardizedLabels(rows, labels);
      const fed = new Float32Array(2 * rows.rowCount);
      for (let i = 0; i < rows.rowCount; i++) {
        fed[2 * i] = wanted[i]!;
        fed[2 * i + 1] = wanted[i]! - fed[2 * i]!;
      }
      return { labels: fed };
    },
    slopes: (outputs, { labels }, rowCount) =>
      inFloat64(rowCount, (math) => {
        const axis = math.ops.raw(tf.tensor1d([1], 'int32'));
        const wanted = math.sum(math.double(labels!), axis, true);
        const errors = math.binary('Sub', math.double(outputs), wanted);
        const squares = math.binary('Mul', errors, errors);
        const doubled = math.binary('AddV2', errors, errors);
        return { losses: squares, slopes: math.binary('RealDiv', doubled, math.rows) };
      }),
  };
}

/** A softmax over the known classes; the loss is the mean cross-entropy in nats. */
export function classificationGraphHead(classes: KnownClasses, maxClasses: number): GraphHead {
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
        return { losses: losses!, slopes: math.binary('RealDiv', slopes!, math.rows) };
      }),
  };
}

/** Arithmetic on float64. */
interface Math64 {
  readonly ops: AddonOps;
  /** The number of rows, a scalar. */
  readonly rows: RawTensor;
  double(tensor: tf.Tensor): RawTensor;
  binary(op: string, a: RawTensor, b: RawTensor): RawTensor;
  sum(value: RawTensor, axes: RawTensor, keepDims: boolean): RawTensor;
}

/** Makes the results of float64 losses by row and slopes by row and output. */
function inFloat64(
  rowCount: number,
  work: (math: Math64) => { readonly losses: RawTensor; readonly slopes: RawTensor },
): GraphSlopes {
  const made = withAddonOps(tf.backend() as unknown as NodeBackend, (ops) => {
    const T = ops.type('T', float64);
    const cast = (value: RawTensor, from: number, to: number): RawTensor =>
      ops.op('Cast', [ops.type('SrcT', from), ops.type('DstT', to)], [value]);
    const sum: Math64['sum'] = (value, axes, keepDims) =>
      ops.op('Sum', [T, ops.type('Tidx', int32), ops.bool('keep_dims', keepDims)], [value, axes]);
    const binary: Math64['binary'] = (op, a, b) => ops.op(op, [T], [a, b]);
    const double: Math64['double'] = (tensor) => cast(ops.raw(tensor), float32, float64);
    const rows = double(tf.scalar(rowCount));
    const { losses, slopes } = work({ ops, rows, double, binary, sum });
    const total = sum(losses, ops.raw(tf.tensor1d([0], 'int32')), false);
    const mean = binary('RealDiv', total, rows);
    const overRows = sum(slopes, ops.raw(tf.tensor1d([0], 'int32')), false);
    const float = (value: RawTensor): RawTensor => cast(value, float64, float32);
    return { loss: float(mean), slopes: float(slopes), bias: float(overRows) };
  });
  return { loss: tf.reshape(made.loss, []), slopes: made.slopes as tf.Tensor2D, bias: made.bias };
}
