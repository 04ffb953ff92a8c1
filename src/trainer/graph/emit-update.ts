import { dataTypes } from './addon.ts';
import { attributes, type GraphWriter } from './graph-writer.ts';
import type { ModelVariable } from './graph-variable.ts';
import type { GraphOptimizer } from './optimizers.ts';

const float = attributes.type(dataTypes.float32);
const T = { T: float };

export interface UpdateSpec {
  readonly optimizer: GraphOptimizer;
  readonly clipNorm: number | null;
  readonly variables: readonly ModelVariable[];
  /** Nodes: the loss, gradients and assigned values by variable. */
  readonly loss: string;
  readonly gradients: Readonly<Record<string, string>>;
  readonly assigned: Readonly<Record<string, string>>;
}

export interface Update {
  /** A placeholder for the optimizer's scalars. */
  readonly scalars: string;
  /** [2]: the loss, and 1 where the step was applied or 0; fetching it makes the step. */
  readonly report: string;
}

/**
 * Writes what a step changes. Where the loss or the norm of the gradients is not finite nothing changes: the optimizer's scalars
 * pass a switch, and a node without all its inputs does not run.
 */
export function emitUpdate(graph: GraphWriter, spec: UpdateSpec): Update {
  const { optimizer, variables, loss, assigned } = spec;
  const trained = variables.filter(({ name }) => spec.gradients[name] !== undefined);
  const squares = trained.map(({ name }) => graph.node('L2Loss', [spec.gradients[name]!], T));
  const halfSquare = graph.node('AddN', squares, { ...T, N: attributes.int(squares.length) });
  const isFinite = (value: string): string => graph.node('IsFinite', [value], T);
  // No variable changes before all are read.
  const reads = variables.map(({ read }) => `^${read}`);
  const mayApply = graph.node('LogicalAnd', [isFinite(loss), isFinite(halfSquare), ...reads]);
  const scalars = graph.node('Placeholder', [], { dtype: float, shape: attributes.shape([optimizer.scalarCount]) });
  const passed = graph.node('Switch', [scalars, mayApply], T);
  const each = graph.node('Unpack', [`${passed}:1`], {
    ...T,
    num: attributes.int(optimizer.scalarCount),
    axis: attributes.int(0),
  });
  const scalarNodes = Array.from({ length: optimizer.scalarCount }, (_, i) => (i === 0 ? each : `${each}:${i}`));
  const scale = spec.clipNorm === null ? null : emitClipScale(graph, halfSquare, spec.clipNorm);
  const updates = trained.map(({ name, handle, read, slots }) => {
    const gradient = spec.gradients[name]!;
    return optimizer.update(graph, {
      variable: handle,
      value: read,
      gradient: scale === null ? gradient : graph.node('Mul', [gradient, scale], T),
      slots: slots.map((slot) => slot.handle),
      scalars: scalarNodes,
    });
  });
  const assignments = variables.flatMap(({ name, handle, dtype }) => {
    const value = assigned[name];
    if (value === undefined) return [];
    const type = attributes.type(dtype);
    const passedValue = graph.node('Switch', [value, mayApply], { T: type });
    return [graph.node('AssignVariableOp', [handle, `${passedValue}:1`], { dtype: type })];
  });
  const applied = graph.node('Identity', [`${passed}:1`, ...[...updates, ...assignments].map((node) => `^${node}`)], T);
  const done = graph.node('Merge', [passed, applied], { ...T, N: attributes.int(2) });
  const wasApplied = graph.cast(mayApply, dataTypes.bool, dataTypes.float32);
  const report = graph.node('Pack', [loss, wasApplied, `^${done}`], {
    ...T,
    N: attributes.int(2),
    axis: attributes.int(0),
  });
  return { scalars, report };
}

/** What gradients are multiplied by so that they are no longer than `clipNorm`: exactly 1 where they are not. */
function emitClipScale(graph: GraphWriter, halfSquare: string, clipNorm: number): string {
  const norm = graph.node('Sqrt', [graph.node('Mul', [halfSquare, graph.float(2)], T)], T);
  const limit = graph.float(clipNorm);
  return graph.node('RealDiv', [limit, graph.node('Maximum', [norm, limit], T)], T);
}
