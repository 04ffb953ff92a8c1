import { ConfigError } from '../errors.ts';
import { likelyBackend, useBackend } from './backends.ts';
import { Contender } from './contender.ts';
import { createMlp } from './create-mlp.ts';
import type { MlpSpec } from './dense-net.ts';
import type { KnownClasses } from './known-classes.ts';
import type { Learner } from './learner.ts';
import { modelPath } from './model-path.ts';
import { plainLearner } from './plain-learner.ts';
import { ClassificationScores, fadingFactor, RegressionScores, type Scores } from './scores.ts';
import type { TargetScale } from './target-scale.ts';
import type { BackendChoice, BackendName, LearnerSpec, TrainerOptions } from './trainer.ts';

type Facts = TargetScale | KnownClasses;

/** The models in the order of the options, and last the baseline; with the backend that runs those that need one. */
export async function createContenders(
  options: TrainerOptions,
  facts: Facts,
): Promise<{ readonly backend: BackendChoice; readonly contenders: readonly Contender[] }> {
  const backend = await backendFor(options);
  if (options.training.precision === 'bfloat16' && backend.name !== 'tensorflow') throw withoutBfloat16(backend);
  const specs = Object.entries(options.models).map(([name, spec]) => [modelPath(name), spec] as const);
  const contenders: Contender[] = [];
  const eager: { model: string; reason: string }[] = [];
  for (const [path, spec] of [...specs, ['baseline', baselineSpec(options)] as const]) {
    const onEager = (reason: string): void => void eager.push({ model: path, reason });
    const learner = await createLearner(spec, options, facts, backend.name, onEager);
    contenders.push(contender(path, spec.kind, learner, options));
  }
  return { backend: { ...backend, eager }, contenders };
}

/** Makes the backend of this thread where a model needs one. */
async function backendFor(options: TrainerOptions): Promise<BackendChoice> {
  const specs = Object.values(options.models);
  const work = specs.flatMap((spec) => (spec.kind === 'mlp' ? [multiplyAdds(spec, options)] : []));
  if (specs.some(({ kind }) => kind === 'layers')) return useBackend(options.backend, null);
  return work.length > 0 ? useBackend(options.backend, Math.max(...work)) : likelyBackend(options.backend);
}

/** Of a net's forward pass over a whole batch. */
function multiplyAdds({ hidden }: MlpSpec, { featureCount, maxClasses, batchRows }: TrainerOptions): number {
  const widths = [featureCount, ...hidden, maxClasses];
  return batchRows * widths.slice(1).reduce((sum, width, l) => sum + width * widths[l]!, 0);
}

/** `lastValue` under a horizon, else what needs no features: `mean`, or `majority` for classes. */
function baselineSpec({ horizonMs, task }: TrainerOptions): LearnerSpec {
  if (horizonMs !== null) return { kind: 'lastValue' };
  return { kind: task === 'regression' ? 'mean' : 'majority' };
}

function contender(path: string, kind: string, learner: Learner, options: TrainerOptions): Contender {
  const scores = (factor: number): Scores =>
    options.task === 'regression' ? new RegressionScores(factor) : new ClassificationScores(factor, options.maxClasses);
  return new Contender({
    path,
    kind,
    learner,
    total: scores(1),
    recent: scores(fadingFactor(options.scoresMemory)),
  });
}

async function createLearner(
  spec: LearnerSpec,
  options: TrainerOptions,
  facts: Facts,
  backend: BackendName,
  onEager: (reason: string) => void,
): Promise<Learner> {
  const { featureCount, training, seed } = options;
  switch (spec.kind) {
    case 'mlp':
      return createMlp(backend, facts, options.maxClasses, { featureCount, spec, training, seed });
    case 'layers': {
      const { createLayers } = await import('./layers/create-layers.ts');
      const { maxClasses } = options;
      return createLayers(backend, facts, { file: spec.file, featureCount, maxClasses, training, seed }, onEager);
    }
    default:
      return plainLearner(spec, options, facts);
  }
}

function withoutBfloat16({ name, refused }: BackendChoice): ConfigError {
  const why = refused.find((each) => each.name === 'tensorflow')?.reason;
  return new ConfigError(
    'config.incompatible',
    `training.precision: bfloat16 is for the tensorflow backend, and this run has ${name}${why === undefined ? '' : ` (tensorflow: ${why})`}; ` +
      'set backend: tensorflow, or precision: float32',
  );
}
