import type { Tensor } from '@tensorflow/tfjs-core';
import type { Addon, NodeBackend, OpAttribute } from './addon.ts';

/** A tensor of the addon, of any of TensorFlow's types. */
export interface RawTensor {
  readonly id: number;
}

/** Runs TensorFlow's ops beside those that TensorFlow.js has, such as arithmetic in float64, which it lacks. */
export interface AddonOps {
  /** The tensor of the addon behind one of TensorFlow.js. */
  raw(tensor: Tensor): RawTensor;
  op(name: string, attributes: readonly OpAttribute[], inputs: readonly RawTensor[]): RawTensor;
  /** Like `op` for an op with several outputs. */
  ops(name: string, attributes: readonly OpAttribute[], inputs: readonly RawTensor[], outputCount: number): RawTensor[];
  type(name: string, dtype: number): OpAttribute;
  bool(name: string, value: boolean): OpAttribute;
}

/** Calls `work` with such ops, deletes what they made, and returns tensors of TensorFlow.js for those that it returned. */
export function withAddonOps<K extends string>(
  backend: NodeBackend,
  work: (ops: AddonOps) => Readonly<Record<K, RawTensor>>,
): Record<K, Tensor> {
  const addon: Addon = backend.binding;
  const made = new Map<number, { readonly id: number; readonly shape: readonly number[]; readonly dtype: number }>();
  const ops: AddonOps['ops'] = (name, attributes, inputs, outputCount) => {
    const ids = inputs.map(({ id }) => id);
    const outputs = addon.executeOp(name, attributes, ids, outputCount);
    for (const output of outputs) made.set(output.id, output);
    return outputs;
  };
  const kept = new Set<number>();
  try {
    const results = work({
      raw: (tensor) => ({ id: backend.getInputTensorIds([tensor])[0]! }),
      op: (name, attributes, inputs) => ops(name, attributes, inputs, 1)[0]!,
      ops,
      type: (name, value) => ({ name, type: addon.TF_ATTR_TYPE, value }),
      bool: (name, value) => ({ name, type: addon.TF_ATTR_BOOL, value }),
    });
    const tensors = Object.entries<RawTensor>(results).map(([name, { id }]) => {
      kept.add(id);
      return [name, backend.createOutputTensor(made.get(id)!)];
    });
    return Object.fromEntries(tensors) as Record<K, Tensor>;
  } finally {
    for (const id of made.keys()) if (!kept.has(id)) addon.deleteTensor(id);
  }
}
