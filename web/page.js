// The live page: takes the state document from /events and shows it.
import { Chart, fromZero, whereItMatters } from './chart.js';
import { baselineName, bytes, clock, count, duration, metricName, score, shortName } from './words.js';

const $ = (id) => document.getElementById(id);
const say = (id, text) => {
  if ($(id).textContent !== text) $(id).textContent = text;
};

const charts = {
  score: new Chart($('score-chart'), { format: score, range: whereItMatters }),
  throughput: new Chart($('throughput-chart'), { format: count, range: fromZero }),
  loss: new Chart($('loss-chart'), { format: score, range: whereItMatters }),
};

let points = [];
let announced = { state: '', atMs: 0 };
let heardAtMs = Date.now();

connect();
setInterval(watchConnection, 1000);

function connect() {
  const events = new EventSource('events');
  events.addEventListener('state', ({ data }) => take(JSON.parse(data), (history) => history.points));
  events.addEventListener('update', ({ data }) =>
    take(JSON.parse(data), (history) => [...points.slice(0, history.from), ...history.points]),
  );
  events.addEventListener('error', () => {
    // The browser tries again by itself, except after an answer that was no stream (too many who watch).
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
  });
}

function take(status, pointsOf) {
  points = pointsOf(status.history);
  heardAtMs = Date.now();
  watchConnection();
  show(status);
}

function watchConnection() {
  const isLive = Date.now() - heardAtMs < 4000;
  const isHeard = points.length > 0 || document.body.dataset.state !== 'connecting';
  $('connection').className = `connection ${isLive && isHeard ? 'live' : isHeard ? 'lost' : ''}`;
  say('connection', isLive ? (isHeard ? 'live' : 'connecting') : `no contact since ${clock(heardAtMs)}, trying again`);
  document.body.classList.toggle('lost-contact', !isLive);
}

function show(status) {
  document.body.dataset.state = status.state;
  showIdentity(status);
  showSentence(status);
  showTiles(status);
  showOutcomes(status.records);
  showModels(status);
  showCharts(status);
  showDeadLetters(status.deadLetters);
  showLags(status.lags);
  showCheckpoints(status.checkpoints);
}

function showIdentity({ identity, startedAtMs, atMs }) {
  say('name', identity?.name ?? 'Live page');
  say('about', identity === null ? '' : `on ${identity.backend}, version ${identity.version}`);
  document.title = identity === null ? 'Millrace' : `${identity.name} · Millrace`;
  say('uptime', `up ${duration((atMs - startedAtMs) / 1000)}`);
}

function showSentence({ sentence, moments, state, warnings }) {
  // Clock times in it are those of the server's time zone.
  const local = moments.reduce((text, moment) => text.replaceAll(moment.text, clock(moment.ms)), sentence);
  say('sentence', local);
  if (state !== announced.state || Date.now() - announced.atMs > 30_000) {
    announced = { state, atMs: Date.now() };
    say('announcement', local);
  }
  // The first warning is part of the sentence.
  fill('warnings', warnings.slice(1), ({ message, sinceMs }) => [`Since ${clock(sinceMs)}: ${message}`]);
  $('warnings').hidden = warnings.length < 2;
}

function showTiles(status) {
  const { better, metric, models, rowsPerSecond, records, freshnessSeconds, lagSeconds, lagRecords, lags } = status;
  const served = models.find((model) => model.role === 'served');
  const baseline = models.find((model) => model.role === 'baseline');
  const isWorse = better !== null && better < 0;
  if (baseline !== undefined) {
    say('better-label', `${isWorse ? 'Worse' : 'Better'} than ${baselineName(baseline.kind)}`);
    // At the end the totals count; while it learns, how it goes lately.
    const isTotal = status.state === 'finished';
    const of = (model) => score((isTotal ? null : model?.recent[metric]) ?? model?.metrics[metric]);
    say('better-note', `${shortName(metric)} ${of(served)} against ${of(baseline)}, ${isTotal ? 'in all' : 'lately'}`);
  }
  say('better', better === null ? '–' : `${Math.abs(better * 100).toFixed(1)} %`);
  $('better').parentElement.classList.toggle('worse', isWorse);
  say('throughput', `${count(rowsPerSecond)} /s`);
  say('throughput-note', `${count(records.trained)} rows learned`);
  say('freshness', duration(freshnessSeconds));
  say('lag', lagRecords === null ? '–' : duration(lagSeconds));
  const places = lags.length === 1 ? '1 partition' : `${lags.length} partitions`;
  say('lag-note', lagRecords === null ? 'no log with an end' : `${count(lagRecords)} records in ${places}`);
}

const outcomes = ['trained', 'pending', 'unlabelled', 'filtered', 'rejected'];

function showOutcomes(records) {
  say('read', `${count(records.read)} read`);
  const bar = outcomes.filter((outcome) => records[outcome] > 0);
  fill(
    'outcome-bar',
    bar,
    (outcome, part) => {
      part.className = outcome;
      part.style.flexGrow = String(records[outcome]);
      return [];
    },
    'span',
  );
  fill(
    'outcomes',
    outcomes,
    (outcome) => {
      const mark = element('i', '', outcome);
      return [mark, element('dt', outcome), element('dd', count(records[outcome]))];
    },
    'div',
  );
}

function showModels({ models }) {
  const metrics = Object.keys(models.at(-1)?.metrics ?? {});
  const names = [
    'Model',
    'Kind',
    ...metrics.flatMap((metric) => [shortName(metric), 'lately']),
    'Loss',
    'Scored',
    'Steps',
  ];
  const head = names.map((name) => {
    const cell = element('th', name);
    cell.scope = 'col';
    return cell;
  });
  rows('#models thead', [head]);
  rows(
    '#models tbody',
    models.map((model) => {
      const name = element('th', model.role === 'baseline' ? 'baseline' : model.name);
      name.scope = 'row';
      if (model.role === 'served') name.append(element('span', 'served', 'role served'));
      const scores = metrics.flatMap((metric) => [score(model.metrics[metric]), score(model.recent[metric])]);
      const rest = [score(model.loss), count(model.scored), count(model.steps)];
      return [name, ...[model.kind, ...scores, ...rest].map((text) => element('td', text))];
    }),
  );
}

function showCharts({ metric, models }) {
  const seconds = points.map((point) => point.ms / 1000);
  const shown = [...models].sort((a, b) => order(a) - order(b)).slice(0, 4);
  const lines = shown.map((model) => ({
    label: model.role === 'baseline' ? baselineName(model.kind) : model.name,
    colour: model.role === 'served' ? 0 : model.role === 'baseline' ? 1 : model === shown[2] ? 2 : 3,
    dashed: model.role === 'baseline',
  }));
  say(
    'score-unit',
    models.length === 0 ? '' : `${metricName(metric)}, ${metric === 'accuracy' ? 'higher' : 'lower'} is better`,
  );
  charts.score.set(lines, [seconds, ...shown.map((model) => points.map((point) => point.scores[model.name] ?? null))]);
  charts.throughput.set([{ label: 'learned', colour: 0 }], [seconds, points.map((point) => point.rowsPerSecond)]);
  charts.loss.set([{ label: 'loss', colour: 0 }], [seconds, points.map((point) => point.loss)]);
}

const order = (model) => ['served', 'baseline', 'shadow'].indexOf(model.role);

function showDeadLetters({ total, latest }) {
  say('dead-total', total === 0 ? '' : `${count(total)} in all`);
  $('no-dead').hidden = total > 0;
  fill('dead', latest, ({ reason, topic, partition, offset, atMs, preview }) => [
    element('span', clock(atMs), 'quiet'),
    element('span', reason, 'reason'),
    element('span', `${topic}:${partition} @ ${count(offset)}`, 'place quiet'),
    element('code', preview),
  ]);
}

function showLags(lags) {
  $('no-lags').hidden = lags.length > 0;
  const most = Math.max(1, ...lags.map((lag) => lag.records ?? 0));
  const sorted = lags.toSorted((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  fill('lags', sorted, ({ topic, partition, records }) => {
    const meter = element('meter', '');
    meter.max = most;
    meter.value = records ?? 0;
    meter.setAttribute('aria-hidden', 'true');
    return [element('span', `${topic}:${partition}`), element('b', records === null ? '–' : count(records)), meter];
  });
}

function showCheckpoints(checkpoints) {
  $('no-checkpoints').hidden = checkpoints.length > 0;
  fill('checkpoints', checkpoints, ({ step, atMs, seconds, bytes: size }) => [
    element('span', `step ${count(step)}`),
    element('span', `${clock(atMs)}, ${duration(seconds)}, ${bytes(size)}`, 'quiet'),
  ]);
}

function element(tag, text, className = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}

/** Replaces the children of a list, unless nothing changed: what people have selected or scrolled to stays. */
function fill(id, items, childrenOf, tag = 'li') {
  const made = items.map((item) => {
    const child = document.createElement(tag);
    child.append(...childrenOf(item, child));
    return child;
  });
  replaceIfChanged($(id), made);
}

function rows(selector, cells) {
  const made = cells.map((row) => {
    const line = document.createElement('tr');
    line.append(...row);
    return line;
  });
  replaceIfChanged(document.querySelector(selector), made);
}

function replaceIfChanged(parent, children) {
  const isSame =
    parent.children.length === children.length &&
    children.every((child, index) => child.isEqualNode(parent.children[index]));
  if (!isSame) parent.replaceChildren(...children);
}
