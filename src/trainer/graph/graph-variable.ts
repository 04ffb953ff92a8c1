import type * as tf from '@tensorflow/tfjs-core';
import { dataTypes } from './addon.ts';
import { attributes, type GraphWriter } from './graph-writer.ts';
import { NotRecordable } from './not-recordable.ts';
import type { SlotSpec } from './optimizers.ts';

/** A variable of the session: the node of its handle and what it holds. */
export interface GraphVariable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: number;
  readonly handle: string;
  /** Its value before the step. */
  readonly read: string;
}

/** A weight with what the optimizer remembers of it; no slots where it is not trained. */
export interface ModelVariable extends GraphVariable {
  readonly slots: readonly GraphVariable[];
}

/** Writes a variable of a model into the graph. Slots are named `SLOT/NAME`. */
export function declareModelVariable(
  graph: GraphWriter,
  name: string,
  variable: tf.Variable,
  slots: readonly SlotSpec[],
): ModelVariable {
  const dtype = variable.dtype === 'float32' ? dataTypes.float32 : variable.dtype === 'int32' ? dataTypes.int32 : null;
  if (dtype === null) throw new NotRecordable(`variable ${name} is of type ${variable.dtype}`);
  return {
    ...declare(graph, name, variable.shape, dtype),
    slots: variable.trainable ? slots.map((slot) => declare(graph, `${slot.name}/${name}`, variable.shape, dtype)) : [],
  };
}

function declare(graph: GraphWriter, name: string, shape: readonly number[], dtype: number): GraphVariable {
  const type = attributes.type(dtype);
  const handle = graph.node('VarHandleOp', [], {
    dtype: type,
    shape: attributes.shape(shape),
    shared_name: attributes.string(name),
    container: attributes.string(''),
  });
  return { name, shape, dtype, handle, read: graph.node('ReadVariableOp', [handle], { dtype: type }) };
}

/** Placeholders that set variables when the node `done` is fetched. */
export interface Setters {
  readonly inputs: readonly string[];
  readonly done: string;
}

export function emitSetters(graph: GraphWriter, variables: readonly GraphVariable[]): Setters {
  const inputs = variables.map(({ dtype, shape }) =>
    graph.node('Placeholder', [], { dtype: attributes.type(dtype), shape: attributes.shape(shape) }),
  );
  const sets = variables.map(({ handle, dtype }, i) => {
    const type = attributes.type(dtype);
    // A variable would otherwise go on using the memory that it was fed.
    const copy = graph.node('DeepCopy', [inputs[i]!], { T: type });
    return `^${graph.node('AssignVariableOp', [handle, copy], { dtype: type })}`;
  });
  const done = graph.node('Identity', [graph.int(1), ...sets], { T: attributes.type(dataTypes.int32) });
  return { inputs, done };
}
