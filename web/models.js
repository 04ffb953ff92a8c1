// The table of models.
import { element, table } from './dom.js';
import { count, score, shortName } from './words.js';

export function showModels({ models }) {
  const metrics = Object.keys(models.at(-1)?.metrics ?? {});
  const names = ['Model', 'Kind', ...metrics.flatMap((metric) => [shortName(metric), 'lately'])];
  const rows = models.map((model) => {
    const name = [model.role === 'baseline' ? 'baseline' : model.name];
    if (model.role === 'served') name.push(element('span', 'served', 'pill served'));
    const scores = metrics.flatMap((metric) => [score(model.metrics[metric]), score(model.recent[metric])]);
    return [name, model.kind, ...scores, score(model.loss), count(model.scored), count(model.steps)];
  });
  table('models', [...names, 'Loss', 'Scored', 'Steps'], rows, ['', 'text']);
}
