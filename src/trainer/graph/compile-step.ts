import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { NodeBackend } from './addon.ts';
import { Bfloat16GraphWriter, type Precision } from './bfloat16.ts';
import { CompiledStep } from './compiled-step.ts';
import { declareInput, emitFunction, type InputSpec, type Tensors } from './emit-function.ts';
import { emitUpdate } from './emit-update.ts';
import { declareModelVariable, emitSetters } from './graph-variable.ts';
import { GraphWriter } from './graph-writer.ts';
import { NotRecordable } from './not-recordable.ts';
import { graphOptimizer, type OptimizerSpec } from './optimizers.ts';

/** What a step computes before the optimizer comes. */
export interface StepResult {
  /** A scalar. */
  readonly loss: tf.Tensor;
  /** By the name of the variable. */
  readonly gradients: Tensors;
  /** What else the caller wants to see, such as the predictions before the step. */
  readonly outputs: Tensors;
}

export interface StepFunction {
  /** Names of the inputs that it takes. */
  readonly inputs: readonly string[];
  readonly run: (inputs: Tensors) => Tensors;
}

export interface StepSpec {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** Their values are what the compiled step begins with; afterwards it has its own. */
  readonly variables: Readonly<Record<string, tf.Variable>>;
  /** Loss, gradients and outputs from the inputs by TensorFlow.js's ops. A variable that it assigns, the compiled step assigns. */
  readonly step: (inputs: Tensors) => StepResult;
  /** Further functions of inputs and variables that change nothing, such as the prediction. */
  readonly functions: Readonly<Record<string, StepFunction>>;
  readonly optimizer: OptimizerSpec;
  /** Largest Euclidean norm of all gradients together; longer ones are scaled to it. Null means no clipping. */
  readonly clipNorm: number | null;
  /** By default float32. */
  readonly precision?: Precision;
}

/**
 * Makes a training step one TensorFlow graph. The backend in use must be tfjs-node's.
 * @throws NotRecordable where the step cannot be one graph for any number of rows; the message says why.
 */
export function compileStep(spec: StepSpec): CompiledStep {
  const backend = tf.backend() as unknown as NodeBackend;
  const optimizer = graphOptimizer(spec.optimizer);
  const graph = spec.precision === 'bfloat16' ? new Bfloat16GraphWriter() : new GraphWriter();
  const variables = Object.entries(spec.variables).map(([name, variable]) =>
    declareModelVariable(graph, name, variable, optimizer.slots),
  );
  const context = { graph, backend, tensors: spec.variables, variables };
  const inputs = Object.entries(spec.inputs).map(([name, input]) => declareInput(graph, name, input));
  const step = emitFunction(context, inputs, (tensors) => {
    const { loss, gradients, outputs } = spec.step(tensors);
    return { ...prefixed('gradient', gradients), ...prefixed('output', outputs), loss };
  });
  const update = emitUpdate(graph, {
    optimizer,
    clipNorm: spec.clipNorm,
    variables,
    loss: step.outputs['loss']!,
    gradients: below('gradient', step.outputs),
    assigned: step.assigned,
  });
  const functions = Object.entries(spec.functions).map(([name, { inputs: wanted, run }]) => {
    const taken = inputs.filter((input) => wanted.includes(input.name));
    const { outputs, captures } = emitFunction(context, taken, run);
    return [name, { inputs: taken, outputs, captures }] as const;
  });
  const setters = emitSetters(graph, [...variables, ...variables.flatMap(({ slots }) => slots)]);
  const initial = Object.entries(spec.variables).map(([name, variable]) => [name, variable.dataSync()] as const);
  return new CompiledStep(
    {
      backend,
      session: load(backend, graph),
      optimizer,
      variables,
      setters,
      train: { inputs, outputs: below('output', step.outputs), captures: step.captures },
      ...update,
      functions: Object.fromEntries(functions),
    },
    Object.fromEntries(initial) as Record<string, Float32Array | Int32Array>,
  );
}

function load(backend: NodeBackend, graph: GraphWriter): number {
  const folder = mkdtempSync(join(tmpdir(), 'compiled-step-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), graph.savedModel());
    return backend.binding.loadSavedModel(folder, 'serve');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NotRecordable(`TensorFlow does not take the step as a graph: ${reason}`, { cause: error });
  } finally {
    // TensorFlow has read it whole.
    rmSync(folder, { recursive: true });
  }
}

function prefixed(prefix: string, tensors: Tensors): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}:${name}`, tensor]));
}

function below<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  const start = `${prefix}:`;
  const entries = Object.entries(record).filter(([name]) => name.startsWith(start));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(start.length), value]));
}
