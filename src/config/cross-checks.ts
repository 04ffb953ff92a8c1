import type { Config } from './config.ts';

/** Combinations that no single key can judge; one line per problem, with its fix. */
export function crossChecks(config: Config): string[] {
  return [...sourceChecks(config), ...targetChecks(config), ...modelChecks(config), ...predictChecks(config)];
}

function sourceChecks({ source, decode, deadLetter, target }: Config): string[] {
  const problems: string[] = [];
  if (source.kind === 'csv' && decode.kind !== 'csv') {
    problems.push(`decode: the csv source holds csv, got ${decode.kind}. Leave decode out, or write decode: csv.`);
  }
  if (source.kind === 'csv' && source.epochs > 1 && target.horizon !== undefined) {
    problems.push(
      'source.csv.epochs: more than 1 needs labels on the same record. Take target.horizon out or set epochs: 1.',
    );
  }
  if (source.kind !== 'csv' && decode.kind === 'csv' && decode.columns === undefined) {
    problems.push(
      `decode.csv.columns: is missing; records of ${source.kind} have no header line. List the columns in order.`,
    );
  }
  if (deadLetter !== undefined && 'topic' in deadLetter) {
    if (source.kind !== 'kafka') {
      problems.push(`deadLetter.topic: needs source.kafka, got source.${source.kind}. Use deadLetter.file.`);
    } else if (source.topics.includes(deadLetter.topic)) {
      problems.push(`deadLetter.topic: ${deadLetter.topic} is a source topic too. Name another topic.`);
    }
  }
  return problems;
}

function targetChecks({ target, features, source, training }: Config): string[] {
  const problems: string[] = [];
  if (target.as === 'change') {
    if (target.horizon === undefined)
      problems.push('target.as: change needs target.horizon. Add horizon, or write as: value.');
    if (target.task === 'classification')
      problems.push('target.as: change needs numbers. Write as: value for classification.');
  }
  if (training.loss !== undefined && target.task === 'classification') {
    problems.push('training.loss: only for regression; classes are learned by cross-entropy. Take it out.');
  }
  if (target.classes !== undefined && target.task !== 'classification') {
    problems.push('target.classes: only for classification. Add task: classification, or take classes out.');
  }
  if (target.horizon === undefined && features !== 'auto') {
    for (const [name, feature] of Object.entries(features)) {
      if ((feature.field ?? name) === target.field && feature.as !== 'lag') {
        problems.push(
          `features.${name}: is the target itself, so there is nothing to predict. Take it out, make it a lag, or add target.horizon.`,
        );
      }
    }
  }
  if (
    source.kind === 'csv' &&
    source.epochs > 1 &&
    features !== 'auto' &&
    Object.values(features).some(({ as }) => as === 'lag')
  ) {
    problems.push(
      'source.csv.epochs: more than 1 makes the first lags of a pass reach back into the last one. Set epochs: 1.',
    );
  }
  return problems;
}

function modelChecks({ models, serve, target, training }: Config): string[] {
  const problems: string[] = [];
  const names = Object.keys(models);
  if (names.length === 0) problems.push('models: names no model. Write for example models: { main: linear }.');
  else if (!names.includes(serve))
    problems.push(`serve: no model is called ${serve}. Take one of ${names.join(', ')}.`);
  if (names.includes('baseline')) problems.push('models.baseline: this name belongs to the baseline. Take another.');
  const hasNet = Object.values(models).some(({ kind }) => kind === 'mlp' || kind === 'layers');
  if (training.precision === 'bfloat16' && !hasNet) {
    problems.push('training.precision: bfloat16 is for mlp and layers, and models has neither. Take precision out.');
  }
  for (const [name, { kind }] of Object.entries(models)) {
    const fits = target.task === 'classification' ? !['lastValue', 'mean'].includes(kind) : kind !== 'majority';
    if (!fits) problems.push(`models.${name}: ${kind} does not do ${target.task}.`);
  }
  return problems;
}

function predictChecks({ predict, source, deadLetter }: Config): string[] {
  if (predict === undefined) return [];
  const { from, to } = predict;
  if (source.kind !== 'kafka') {
    return [`predict: reads and writes topics where source.kafka is, got source.${source.kind}. Take predict out.`];
  }
  const problems: string[] = [];
  if (from === to) problems.push(`predict.to: ${to} is predict.from too. Name another topic.`);
  else if (source.topics.includes(to)) problems.push(`predict.to: ${to} is a source topic too. Name another topic.`);
  if (deadLetter !== undefined && 'topic' in deadLetter && [from, to].includes(deadLetter.topic)) {
    const key = deadLetter.topic === to ? 'to' : 'from';
    problems.push(`predict.${key}: ${deadLetter.topic} is the dead-letter topic. Name another topic.`);
  }
  return problems;
}
