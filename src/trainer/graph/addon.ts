import type { Tensor } from '@tensorflow/tfjs-core';

/** TensorFlow's numbers of the types that steps use (types.proto). */
export const dataTypes = { float32: 1, float64: 2, int32: 3, int64: 9, bool: 10, bfloat16: 14 } as const;

/** A tensor that lives in the addon. */
export interface TensorHandle {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** An attribute of an op as the addon takes it; `type` is one of its `TF_ATTR_…` numbers. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export type AddonArray = Float32Array | Int32Array | Uint8Array;

/** What tfjs-node's native addon can do. It is for one thread; a failed call leaks the tensors that it was given. */
export interface Addon {
  /** Adopts the array's memory where it is aligned to 64 bytes: until the tensor is deleted a change of one is a change of both. */
  createTensor(shape: readonly number[], dtype: number, values: AddonArray): number;
  deleteTensor(id: number): void;
  /** A copy. */
  tensorDataSync(id: number): AddonArray;
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputIds: readonly number[],
    outputCount: number,
  ): TensorHandle[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  /** `inputNames` and `outputNames`: `node:index`, separated by commas. */
  runSavedModel(id: number, inputIds: readonly number[], inputNames: string, outputNames: string): TensorHandle[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
}

/** Names a tensor's data among those of a backend. */
export type DataId = object;

/** The part of tfjs-node's backend (`tf.backend()` once it is the one in use) that recording needs. */
export interface NodeBackend {
  binding: Addon;
  getInputTensorIds(tensors: readonly { readonly dataId: DataId }[]): number[];
  createOutputTensor(handle: TensorHandle): Tensor;
  move(dataId: DataId, values: unknown, shape: number[], dtype: string, refCount: number): void;
  /** `dtype` is TensorFlow's number. */
  readonly tensorMap: { get(dataId: DataId): { readonly shape: readonly number[]; readonly dtype: number } };
  incRef(dataId: DataId): void;
  disposeData(dataId: DataId, force?: boolean): boolean;
}
