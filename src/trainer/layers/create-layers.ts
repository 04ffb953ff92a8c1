import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, messageOf } from '../../errors.ts';
import { NotRecordable } from '../graph/not-recordable.ts';
import { graphHead } from '../graph-head.ts';
import type { KnownClasses } from '../known-classes.ts';
import type { Learner } from '../learner.ts';
import { outputHead } from '../output-head.ts';
import { scoped } from '../scoped.ts';
import type { TargetScale } from '../target-scale.ts';
import type { BackendName, TrainingOptions } from '../trainer.ts';
import { compiledLayers } from './compiled-layers.ts';
import { EagerLayersLearner } from './eager-layers.ts';
import { layersGradients } from './layers-gradients.ts';
import { layersNet, type LayersNet } from './layers-net.ts';
import { readModelFile } from './model-file.ts';

export interface CreateLayersOptions {
  /** `model.json`. */
  readonly file: string;
  readonly featureCount: number;
  /** For classes only. */
  readonly maxClasses: number;
  readonly training: TrainingOptions;
  readonly seed: number;
}

/**
 * A LayersModel from a file in the form that suits the backend, which must be the one of this thread: on tensorflow a compiled graph,
 * or where that cannot be, op by op, of which `onEager` is told the reason.
 * @throws ConfigError where the file is no model of this pipeline or the backend cannot train it.
 */
export async function createLayers(
  backend: BackendName,
  facts: TargetScale | KnownClasses,
  options: CreateLayersOptions,
  onEager: (reason: string) => void,
): Promise<Learner> {
  const { file, maxClasses, training } = options;
  if (backend === 'webgpu') throw withoutWebgpu(file);
  const head = outputHead(facts, maxClasses, training.loss);
  const net = await layersNet(readModelFile(file), { ...options, outputCount: head.outputCount });
  try {
    tryStep(net);
    if (backend === 'tensorflow') {
      try {
        const learner = compiledLayers(head, graphHead(facts, maxClasses, training.loss), net, training);
        // The session has its own weights.
        net.dispose();
        return learner;
      } catch (error) {
        if (!(error instanceof NotRecordable)) throw error;
        if (training.precision === 'bfloat16') throw needsGraph(file, error);
        onEager(error.message);
      }
    }
    return new EagerLayersLearner(head, net, options);
  } catch (error) {
    net.dispose();
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      'config.incompatible',
      `${file}: the ${backend} backend cannot train this model: ${messageOf(error)}. Set another backend; cpu has all ops.`,
      { cause: error },
    );
  }
}

function withoutWebgpu(file: string): ConfigError {
  return new ConfigError(
    'config.incompatible',
    `${file}: the webgpu backend runs mlp alone, no layers from a file. Set backend: tensorflow, wasm or cpu.`,
    { context: { key: 'backend' } },
  );
}

function needsGraph(file: string, cause: NotRecordable): ConfigError {
  return new ConfigError(
    'config.incompatible',
    `${file}: training.precision: bfloat16 needs a step that can be one graph, and this one cannot: ${cause.message}. Take precision out.`,
    { cause },
  );
}

/** Runs a training pass over two rows of zeros, to find what the backend lacks; changes nothing. */
function tryStep(net: LayersNet): void {
  scoped(() => {
    const assigned = net.weights.filter(({ isTrained }) => !isTrained);
    const before = assigned.map(({ variable }) => variable.clone());
    layersGradients(net, tf.zeros([2, ...net.rowShape]), (outputs) => ({
      loss: tf.scalar(0),
      slopes: tf.zerosLike(outputs),
    }));
    assigned.forEach(({ variable }, w) => {
      variable.assign(before[w]!);
    });
  });
}
