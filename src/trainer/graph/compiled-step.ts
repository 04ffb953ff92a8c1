import type { Addon, AddonArray, DataId, NodeBackend, TensorHandle } from './addon.ts';
import { dataTypes } from './addon.ts';
import type { Capture, GraphInput } from './emit-function.ts';
import type { GraphVariable, ModelVariable, Setters } from './graph-variable.ts';
import type { GraphOptimizer } from './optimizers.ts';

type Numbers = Float32Array | Int32Array;
export type Inputs = Readonly<Record<string, Numbers>>;

/** Everything that a step changes. Copies. */
export interface StepState {
  /** By name, row-major. */
  readonly variables: Readonly<Record<string, Numbers>>;
  /** By `SLOT/NAME`. */
  readonly slots: Readonly<Record<string, Numbers>>;
  /** Running powers of the optimizer, such as Adam's betas to the number of steps. */
  readonly powers: Float64Array;
}

export interface StepOutcome {
  /** False where the loss or a gradient was not finite: nothing has changed then. */
  readonly applied: boolean;
  readonly loss: number;
  /** From before the step. */
  readonly outputs: Readonly<Record<string, Numbers>>;
}

/** A call of the session: what is fed and fetched. */
export interface Call {
  readonly inputs: readonly GraphInput[];
  readonly captures: readonly Capture[];
  /** Nodes by name. */
  readonly outputs: Readonly<Record<string, string>>;
}

export interface CompiledParts {
  readonly backend: NodeBackend;
  readonly session: number;
  readonly optimizer: GraphOptimizer;
  readonly variables: readonly ModelVariable[];
  readonly setters: Setters;
  readonly train: Call;
  readonly scalars: string;
  readonly report: string;
  readonly functions: Readonly<Record<string, Call>>;
}

/** A training step that runs as one call of a TensorFlow session, which holds the variables and the optimizer's slots. For one thread. */
export class CompiledStep {
  readonly #parts: CompiledParts;
  readonly #addon: Addon;
  readonly #held: readonly GraphVariable[];
  readonly #train: PreparedCall;
  readonly #functions: Readonly<Record<string, PreparedCall>>;
  #powers: Float64Array;
  #isDisposed = false;

  constructor(parts: CompiledParts, initial: Readonly<Record<string, Numbers>>) {
    this.#parts = parts;
    this.#addon = parts.backend.binding;
    this.#held = [...parts.variables, ...parts.variables.flatMap(({ slots }) => slots)];
    this.#train = prepare(parts.train, [parts.scalars], [parts.report]);
    this.#functions = Object.fromEntries(Object.entries(parts.functions).map(([name, call]) => [name, prepare(call)]));
    this.#powers = new Float64Array(parts.optimizer.powerCount).fill(1);
    this.importState({ variables: initial, slots: {}, powers: this.#powers });
  }

  /**
   * One step over `rowCount` rows. Inputs are row-major and may be views of shared memory; none is looked at afterwards.
   * @throws Error where an input has another length than its shape and the rows ask for, or the session fails; nothing has changed then.
   */
  run(inputs: Inputs, rowCount: number, learningRate: number): StepOutcome {
    const { optimizer } = this.#parts;
    const scalars = Float32Array.from(optimizer.scalars(learningRate, this.#powers));
    const { report, ...outputs } = this.#call(this.#train, inputs, rowCount, scalars);
    const applied = report![1] === 1;
    if (applied) this.#powers = optimizer.nextPowers(this.#powers);
    return { applied, loss: report![0]!, outputs };
  }

  /** Calls one of the step's functions with the variables as they are; changes nothing. */
  evaluate(name: string, inputs: Inputs, rowCount: number): Readonly<Record<string, Numbers>> {
    const call = this.#functions[name];
    if (call === undefined) throw new Error(`the compiled step has no function "${name}"`);
    return this.#call(call, inputs, rowCount);
  }

  /** What the optimizer remembers of each weight. */
  get slotNames(): readonly string[] {
    return this.#parts.optimizer.slots.map(({ name }) => name);
  }

  /** How many running powers the optimizer keeps. */
  get powerCount(): number {
    return this.#parts.optimizer.powerCount;
  }

  exportState(): StepState {
    const names = this.#held.map(({ read }) => `${read}:0`).join(',');
    const values = this.#fetch([], '', names, this.#held.length);
    const entries = this.#held.map(({ name }, i) => [name, values[i]!] as const);
    const { length } = this.#parts.variables;
    return {
      variables: Object.fromEntries(entries.slice(0, length)),
      slots: Object.fromEntries(entries.slice(length)),
      powers: this.#powers.slice(),
    };
  }

  /**
   * Sets all variables, slots and powers, bit by bit as they were exported. A slot that is not given begins anew.
   * @throws Error where a variable is missing or has another length.
   */
  importState(state: StepState): void {
    const { optimizer, variables, setters } = this.#parts;
    const fresh = variables.flatMap(({ slots }) => slots.map((_, s) => optimizer.slots[s]!.initial));
    const values = this.#held.map(({ name, shape }, i) => {
      const length = shape.reduce((product, size) => product * size, 1);
      const isSlot = i >= variables.length;
      const given = isSlot ? state.slots[name] : state.variables[name];
      const value = given ?? (isSlot ? new Float32Array(length).fill(fresh[i - variables.length]!) : undefined);
      if (value?.length !== length)
        throw new Error(`"${name}" has ${value?.length ?? 'no'} numbers, expected ${length}`);
      return value;
    });
    const ids = this.#held.map(({ shape, dtype }, i) => this.#addon.createTensor(shape, dtype, values[i]!));
    try {
      this.#fetch(ids, setters.inputs.map((node) => `${node}:0`).join(','), `${setters.done}:0`, 1);
    } finally {
      for (const id of ids) this.#addon.deleteTensor(id);
    }
    this.#powers =
      state.powers.length === optimizer.powerCount
        ? state.powers.slice()
        : new Float64Array(optimizer.powerCount).fill(1);
  }

  /** Ends the session. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const { backend, session, train, functions } = this.#parts;
    for (const { captures } of [train, ...Object.values(functions)]) {
      for (const { source, isHeld } of captures) if (isHeld) backend.disposeData(source.dataId);
    }
    this.#addon.deleteSavedModel(session);
  }

  #call(call: PreparedCall, inputs: Inputs, rowCount: number, scalars?: Float32Array): Record<string, Numbers> {
    // A failed call leaks what it was fed, so that nothing may fail for its shape.
    for (const { name, width, hasRows } of call.inputs) {
      const length = hasRows ? width * rowCount : width;
      const found = inputs[name]?.length;
      if (found !== length) throw new Error(`input "${name}" has ${found ?? 'no'} numbers, expected ${length}`);
    }
    const addon = this.#addon;
    const ids: number[] = [];
    try {
      for (const { name, rest, hasRows, dtype } of call.inputs) {
        ids.push(addon.createTensor(hasRows ? [rowCount, ...rest] : rest, dtype, inputs[name]!));
      }
      if (scalars !== undefined) ids.push(addon.createTensor([scalars.length], dataTypes.float32, scalars));
      const captured = this.#parts.backend.getInputTensorIds(call.captures);
      const values = this.#fetch([...ids, ...captured], call.inputNames, call.outputNames, call.outputs.length);
      return Object.fromEntries(call.outputs.map((name, i) => [name, values[i]!]));
    } finally {
      for (const id of ids) addon.deleteTensor(id);
    }
  }

  #fetch(ids: readonly number[], inputNames: string, outputNames: string, count: number): Numbers[] {
    const handles: TensorHandle[] = this.#addon.runSavedModel(this.#parts.session, ids, inputNames, outputNames);
    const values: AddonArray[] = [];
    try {
      for (let i = 0; i < count; i++) values.push(this.#addon.tensorDataSync(handles[i]!.id));
    } finally {
      for (const { id } of handles) this.#addon.deleteTensor(id);
    }
    return values as Numbers[];
  }
}

interface PreparedCall {
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: number;
    /** Dimensions behind that of the rows, and their product. */
    readonly rest: readonly number[];
    readonly width: number;
    readonly hasRows: boolean;
  }[];
  readonly captures: readonly { readonly dataId: DataId }[];
  readonly outputs: readonly string[];
  readonly inputNames: string;
  readonly outputNames: string;
}

/** The names that a call is made with. The report comes first among the outputs. */
function prepare(
  { inputs, captures, outputs }: Call,
  scalars: readonly string[] = [],
  report: readonly string[] = [],
): PreparedCall {
  const feeds = [...inputs.map(({ node }) => node), ...scalars, ...captures.map(({ node }) => node)];
  const fetches = [...report, ...Object.values(outputs)];
  const index = (name: string): string => (name.includes(':') ? name : `${name}:0`);
  return {
    inputs: inputs.map(({ name, shape, dtype }) => {
      const hasRows = shape[0] === null;
      const rest = (hasRows ? shape.slice(1) : shape) as readonly number[];
      return { name, dtype: dataTypes[dtype], rest, width: rest.reduce((product, size) => product * size, 1), hasRows };
    }),
    captures: captures.map(({ source }) => source),
    outputs: [...report.map(() => 'report'), ...Object.keys(outputs)],
    inputNames: feeds.map(index).join(','),
    outputNames: fetches.map(index).join(','),
  };
}
