import { type Addon, type AddonArray, type DataId, dataTypes, type NodeBackend, type OpAttribute } from './addon.ts';
import { NotRecordable } from './not-recordable.ts';
import { withRecordableKernels } from './recordable-kernels.ts';

/** An op as it ran. Values are numbered in the order in which they appeared: sources first. */
export interface RecordedOp {
  readonly name: string;
  readonly attributes: readonly OpAttribute[];
  readonly inputs: readonly number[];
  readonly outputs: readonly RecordedValue[];
}

export interface RecordedValue {
  readonly value: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** A tensor made within the step. */
export interface RecordedConstant extends RecordedValue {
  readonly content: AddonArray;
}

/** A tensor from outside the step that is not among its sources. */
export interface RecordedCapture {
  readonly value: number;
  readonly dataId: DataId;
}

/** All that one eager run did at the addon. */
export interface Recording {
  readonly ops: readonly RecordedOp[];
  readonly constants: readonly RecordedConstant[];
  readonly captures: readonly RecordedCapture[];
  /** The values of the tensors that the step returned. */
  readonly results: readonly number[];
  /** The value that each source holds after the step; its own number unless it is a variable that was assigned. */
  readonly sourcesAfter: readonly number[];
}

/** What a backend finds a tensor by. */
export interface HasData {
  readonly dataId: DataId;
}

/**
 * Runs `step` eagerly and records every op. `sources` are the tensors that stand for inputs and variables, numbered from 0.
 * @throws NotRecordable where the step reads a value, since what it does then may depend on it.
 */
export function record(backend: NodeBackend, sources: readonly HasData[], step: () => readonly HasData[]): Recording {
  const recorder = new Recorder(backend);
  for (const id of backend.getInputTensorIds(sources)) recorder.name(id);
  const detach = recorder.attach();
  try {
    const results = withRecordableKernels(recorder.whileReading, step).map((tensor) => recorder.valueOf(tensor));
    const sourcesAfter = sources.map((source) => recorder.valueOf(source));
    return { ops: recorder.ops, constants: recorder.constants, captures: recorder.captures(), results, sourcesAfter };
  } finally {
    detach();
  }
}

class Recorder {
  readonly ops: RecordedOp[] = [];
  readonly constants: RecordedConstant[] = [];
  readonly #backend: NodeBackend;
  readonly #addon: Addon;
  readonly #values = new Map<number, number>();
  readonly #captured = new Map<number, number>();
  readonly #dataIds = new Map<number, DataId>();
  readonly #madeHere = new WeakSet();
  #mayRead = false;

  constructor(backend: NodeBackend) {
    this.#backend = backend;
    this.#addon = backend.binding;
  }

  /** Numbers a tensor of the addon. */
  name(id: number): number {
    const value = this.#values.size;
    this.#values.set(id, value);
    return value;
  }

  valueOf(tensor: HasData): number {
    return this.#valueOfId(this.#getIds([tensor])[0]!);
  }

  captures(): readonly RecordedCapture[] {
    return [...this.#captured].map(([id, value]) => {
      const dataId = this.#dataIds.get(id);
      if (dataId === undefined) throw new NotRecordable('the step uses a tensor that TensorFlow.js does not know');
      return { value, dataId };
    });
  }

  /** Runs a kernel that reads values which do not change what it records. */
  readonly whileReading = (read: () => unknown): unknown => {
    this.#mayRead = true;
    try {
      return read();
    } finally {
      this.#mayRead = false;
    }
  };

  /** Puts itself between the backend and the addon; the function returned takes it away again. */
  attach(): () => void {
    const backend = this.#backend;
    const addon = this.#addon;
    // The addon's own properties are read-only and not enumerable.
    const spy: Record<string, unknown> = {};
    for (const name of Object.getOwnPropertyNames(addon)) spy[name] = Reflect.get(addon, name);
    spy['createTensor'] = this.#createTensor.bind(this);
    spy['executeOp'] = this.#executeOp.bind(this);
    spy['tensorDataSync'] = (id: number) => {
      if (!this.#mayRead) throw new NotRecordable('the step reads the values of a tensor');
      return addon.tensorDataSync(id);
    };
    backend.binding = spy as unknown as Addon;
    backend.getInputTensorIds = (tensors) => this.#getIds(tensors);
    backend.move = (dataId, values, ...rest) => {
      if (typeof values === 'object' && values !== null) this.#madeHere.add(values);
      prototypeOf(backend).move.call(backend, dataId, values, ...rest);
    };
    return () => {
      backend.binding = addon;
      // They are methods of its class: what hid them goes.
      Reflect.deleteProperty(backend, 'getInputTensorIds');
      Reflect.deleteProperty(backend, 'move');
    };
  }

  #getIds(tensors: readonly HasData[]): number[] {
    const ids = prototypeOf(this.#backend).getInputTensorIds.call(this.#backend, tensors);
    ids.forEach((id, i) => this.#dataIds.set(id, tensors[i]!.dataId));
    return ids;
  }

  #createTensor(shape: readonly number[], dtype: number, values: AddonArray): number {
    if (!ArrayBuffer.isView(values)) throw new NotRecordable('the step makes a tensor of strings');
    const id = this.#addon.createTensor(shape, dtype, values);
    // One that was written before the step, and only now reaches the addon, is not the step's own. 64-bit scalars are.
    if (dtype !== dataTypes.int64 && !this.#madeHere.has(values)) {
      this.#captured.set(id, this.name(id));
    } else {
      this.constants.push({ value: this.name(id), shape: [...shape], dtype, content: values.slice() });
    }
    return id;
  }

  #executeOp(name: string, attributes: readonly OpAttribute[], inputIds: readonly number[], outputCount: number) {
    const inputs = inputIds.map((id) => this.#valueOfId(id));
    const outputs = this.#addon.executeOp(name, attributes, inputIds, outputCount);
    this.ops.push({
      name,
      attributes,
      inputs,
      outputs: outputs.map(({ id, shape, dtype }) => ({ value: this.name(id), shape, dtype })),
    });
    return outputs;
  }

  #valueOfId(id: number): number {
    const known = this.#values.get(id);
    if (known !== undefined) return known;
    const value = this.name(id);
    this.#captured.set(id, value);
    return value;
  }
}

function prototypeOf(backend: NodeBackend): NodeBackend {
  return Object.getPrototypeOf(backend) as NodeBackend;
}
