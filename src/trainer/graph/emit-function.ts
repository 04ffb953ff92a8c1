import * as tf from '@tensorflow/tfjs-core';
import { type DataId, dataTypes, type NodeBackend } from './addon.ts';
import { emitProgram } from './emit-program.ts';
import { attributes, type GraphWriter } from './graph-writer.ts';
import type { ModelVariable } from './graph-variable.ts';
import type { GraphValue } from './products.ts';
import { record, type RecordedCapture, type Recording } from './recording.ts';
import { generalize } from './row-counts.ts';

/** An input; where its first dimension is null it has one entry a row. */
export interface InputSpec {
  readonly shape: readonly (number | null)[];
  readonly dtype: 'float32' | 'int32';
}

export type Tensors = Readonly<Record<string, tf.Tensor>>;

/** An input of the graph. */
export interface GraphInput extends InputSpec {
  readonly name: string;
  readonly node: string;
}

/** A tensor from outside that is fed to each call: what it is at that moment, if a variable, else what it always was. */
export interface Capture {
  readonly node: string;
  readonly source: { readonly dataId: DataId };
  /** Whether its data must be let go in the end. */
  readonly isHeld: boolean;
}

export interface Emitted {
  /** Nodes of what the function returned, by name. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Nodes of the new values of the variables that it assigned, by name. */
  readonly assigned: Readonly<Record<string, string>>;
  readonly captures: readonly Capture[];
}

export interface EmitContext {
  readonly graph: GraphWriter;
  readonly backend: NodeBackend;
  readonly tensors: Readonly<Record<string, tf.Variable>>;
  readonly variables: readonly ModelVariable[];
}

/** Numbers of rows at which a function is recorded: two that it follows from, one that confirms it. */
const rowCounts = [5, 11, 18];

export function declareInput(graph: GraphWriter, name: string, { shape, dtype }: InputSpec): GraphInput {
  const node = graph.node('Placeholder', [], {
    dtype: attributes.type(dataTypes[dtype]),
    shape: attributes.shape(shape.map((size) => size ?? -1)),
  });
  return { name, shape, dtype, node };
}

/**
 * Records a function of the inputs and the variables and writes it into the graph, for any number of rows.
 * @throws NotRecordable where that cannot be; the message says why.
 */
export function emitFunction(
  context: EmitContext,
  inputs: readonly GraphInput[],
  run: (inputs: Tensors) => Tensors,
): Emitted {
  const { graph, backend, variables } = context;
  const hasRows = inputs.some(({ shape }) => shape[0] === null);
  let names: readonly string[] = [];
  const recorded = rowCounts.slice(0, hasRows ? undefined : 1).map((rowCount) => {
    const recording = recordAt(context, inputs, rowCount, (values) => {
      const results = run(values);
      names = Object.keys(results);
      return Object.values(results);
    });
    return { rowCount, recording };
  });
  const program = generalize(recorded);
  const outputs = new Map<number, GraphValue>();
  inputs.forEach(({ node, shape }, i) =>
    outputs.set(i, { name: node, shape: shape.map((size) => size ?? rowCounts[0]!) }),
  );
  variables.forEach(({ read, shape }, i) => outputs.set(inputs.length + i, { name: read, shape }));
  const captures = program.captures.map((capture) => {
    const { shape, dtype } = backend.tensorMap.get(capture.dataId);
    const node = graph.node('Placeholder', [], { dtype: attributes.type(dtype), shape: attributes.shape(shape) });
    outputs.set(capture.value, { name: node, shape });
    return { node, ...sourceOf(backend, capture) };
  });
  const rowsInput = inputs.find(({ shape }) => shape[0] === null);
  emitProgram(graph, program, { addon: backend.binding, rows: rowsInput ? emitRows(graph, rowsInput) : null, outputs });
  const assigned = variables.flatMap(({ name }, i) => {
    const after = program.sourcesAfter[inputs.length + i]!;
    return after === inputs.length + i ? [] : [[name, outputs.get(after)!.name] as const];
  });
  return {
    outputs: Object.fromEntries(names.map((name, i) => [name, outputs.get(program.results[i]!)!.name])),
    assigned: Object.fromEntries(assigned),
    captures,
  };
}

/** One eager run on zeros, after which variables are as before and what it made is gone. */
function recordAt(
  { backend, tensors, variables }: EmitContext,
  inputs: readonly GraphInput[],
  rowCount: number,
  run: (inputs: Tensors) => readonly tf.Tensor[],
): Recording {
  const held = variables.map(({ name }) => tensors[name]!);
  const engine = tf.engine();
  engine.startScope();
  try {
    const before = held.map((variable) => variable.clone());
    const values = inputs.map(({ shape, dtype }) =>
      tf.zeros(
        shape.map((size) => size ?? rowCount),
        dtype,
      ),
    );
    const byName = Object.fromEntries(inputs.map(({ name }, i) => [name, values[i]!]));
    const recording = record(backend, [...values, ...held], () => run(byName));
    held.forEach((variable, i) => {
      if (variable.dataId !== before[i]!.dataId) variable.assign(before[i]!);
    });
    return recording;
  } finally {
    engine.endScope();
  }
}

/** The number of rows of an input, an int32 scalar. */
function emitRows(graph: GraphWriter, { node, dtype }: GraphInput): string {
  const type = attributes.type(dataTypes.int32);
  const shape = graph.node('Shape', [node], { T: attributes.type(dataTypes[dtype]), out_type: type });
  return graph.node('StridedSlice', [shape, graph.ints([0]), graph.ints([1]), graph.ints([1])], {
    T: type,
    Index: type,
    shrink_axis_mask: attributes.int(1),
  });
}

function sourceOf(backend: NodeBackend, { dataId }: RecordedCapture): Pick<Capture, 'source' | 'isHeld'> {
  const variable = Object.values(tf.engine().registeredVariables).find((each) => each.dataId === dataId);
  if (variable !== undefined) return { source: variable, isHeld: false };
  // It stays even where its owner disposes of it.
  backend.incRef(dataId);
  return { source: { dataId }, isHeld: true };
}
