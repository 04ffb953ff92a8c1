// The charts over time: scores, throughput, loss.
import { Chart, fromZero, whereItMatters } from './chart.js';
import { $, say } from './dom.js';
import { baselineName, count, metricName, score } from './words.js';

const charts = {
  score: new Chart($('score-chart'), { format: score, range: whereItMatters }),
  throughput: new Chart($('throughput-chart'), { format: count, range: fromZero }),
  loss: new Chart($('loss-chart'), { format: score, range: whereItMatters }),
};

export function showCharts({ metric, models, history }) {
  const { points } = history;
  const seconds = points.map((point) => point.ms / 1000);
  const shown = [...models].sort((a, b) => order(a) - order(b)).slice(0, 4);
  const lines = shown.map((model) => ({
    label: model.role === 'baseline' ? baselineName(model.kind) : model.name,
    colour: model.role === 'served' ? 0 : model.role === 'baseline' ? 1 : model === shown[2] ? 2 : 3,
    dashed: model.role === 'baseline',
  }));
  const better = metric === 'accuracy' ? 'higher' : 'lower';
  say('score-unit', models.length === 0 ? '' : `${metricName(metric)} lately, ${better} is better`);
  charts.score.set(lines, [seconds, ...shown.map((model) => points.map((point) => point.scores[model.name] ?? null))]);
  charts.throughput.set([{ label: 'learned', colour: 0 }], [seconds, points.map((point) => point.rowsPerSecond)]);
  charts.loss.set([{ label: 'loss', colour: 0 }], [seconds, points.map((point) => point.loss)]);
}

const order = (model) => ['served', 'baseline', 'shadow'].indexOf(model.role);
