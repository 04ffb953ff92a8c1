import { ConfigError } from '../errors.ts';
import { KnownClasses } from './known-classes.ts';
import { lastValueLearner } from './last-value.ts';
import type { Learner } from './learner.ts';
import { LinearLearner } from './linear.ts';
import { MajorityLearner } from './majority.ts';
import { MeanLearner } from './mean.ts';
import { outputHead } from './output-head.ts';
import { TargetScale } from './target-scale.ts';
import type { LearnerSpec, TrainerOptions } from './trainer.ts';

export type PlainSpec = Extract<LearnerSpec, { kind: 'lastValue' | 'mean' | 'majority' | 'linear' }>;

export type PlainOptions = Pick<TrainerOptions, 'featureCount' | 'task' | 'maxClasses' | 'training'>;

/**
 * A learner that no engine has to run.
 * @throws ConfigError where it is not for the task.
 */
export function plainLearner(spec: PlainSpec, options: PlainOptions, facts: TargetScale | KnownClasses): Learner {
  const head = outputHead(facts, options.maxClasses, options.training.loss);
  switch (spec.kind) {
    case 'lastValue':
      return lastValueLearner(options.task, head.outputCount);
    case 'mean':
      if (!(facts instanceof TargetScale)) throw misfit('mean', 'regression', 'majority');
      return new MeanLearner(facts);
    case 'majority':
      if (!(facts instanceof KnownClasses)) throw misfit('majority', 'classification', 'mean');
      return new MajorityLearner(options.maxClasses);
    case 'linear':
      return new LinearLearner(options.featureCount, head, options.training);
  }
}

function misfit(kind: string, task: string, instead: string): ConfigError {
  return new ConfigError('config.incompatible', `model "${kind}" is for ${task}; use "${instead}"`);
}
