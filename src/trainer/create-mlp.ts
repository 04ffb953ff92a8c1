import type { DenseEngine } from './dense-engine.ts';
import type { KnownClasses } from './known-classes.ts';
import type { Learner } from './learner.ts';
import type { MlpOptions } from './mlp.ts';
import { outputHead } from './output-head.ts';
import type { TargetScale } from './target-scale.ts';
import type { BackendName } from './trainer.ts';

/**
 * A multilayer perceptron in the form that suits the backend, which must be the one of this thread. Loads only what that needs.
 * `maxClasses` is for classes only.
 */
export async function createMlp(
  backend: BackendName,
  facts: TargetScale | KnownClasses,
  maxClasses: number,
  options: MlpOptions,
): Promise<Learner> {
  const { loss } = options.training;
  const head = outputHead(facts, maxClasses, loss);
  if (backend !== 'tensorflow') {
    const { MlpLearner } = await import('./mlp.ts');
    return new MlpLearner(head, await denseEngine(backend), options);
  }
  const { graphHead } = await import('./graph-head.ts');
  const { compiledMlp } = await import('./compiled-mlp.ts');
  return compiledMlp(head, graphHead(facts, maxClasses, loss), options);
}

async function denseEngine(backend: Exclude<BackendName, 'tensorflow'>): Promise<DenseEngine> {
  if (backend === 'webgpu') return (await import('./webgpu-engine.ts')).webgpuEngine();
  return (await import('./dense-engine.ts')).localEngine;
}
