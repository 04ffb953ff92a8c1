// How each feature was distributed lately beside how it was before, and how far it has moved.
import { $, element, say, shareBar, table } from './dom.js';
import { count, percent, score, share } from './words.js';

/** From here on a feature is said to have moved: a fifth of its rows lie elsewhere. */
const moved = 0.2;
const kinds = { plain: '', cyclic: 'cyclic', oneHot: 'categories', lag: 'lag' };

export function showFeatures({ features }) {
  const list = features?.list ?? [];
  const isSeen = (features?.recentRows ?? 0) > 0;
  $('no-features').hidden = isSeen;
  $('features-about').hidden = !isSeen;
  if (!isSeen) return;
  const { recentRows, earlierRows, sampledPerSecond, total } = features;
  say('recent-rows', `the latest ${count(recentRows)} sampled rows`);
  say('earlier-rows', earlierRows === 0 ? 'none before them yet' : `${count(earlierRows)} rows before them`);
  const more = total > list.length ? ` The first ${list.length} of ${count(total)} features are shown.` : '';
  say('features-note', `Sampled, at most ${sampledPerSecond} rows a second.${more}`);
  table('features', ['Feature', 'Distribution', '5 %', 'Median', '95 %', 'Missing', 'Drift'], list.map(featureRow), [
    '',
    'plot-cell',
    'spread',
    'spread',
    'spread',
    'spread',
    'drift-cell',
  ]);
}

function featureRow({ name, kind, isSensitive, missing, drift, quantiles, bins }) {
  const label = [name, element('span', isSensitive ? 'sensitive' : kinds[kind], 'quiet kind')];
  const [low, median, high] = quantiles ?? [null, null, null];
  const middle = kind === 'oneHot' && bins.length > 0 ? `${bins[0].label}` : score(median);
  return [
    label,
    distribution(kind, isSensitive, bins),
    score(low),
    middle,
    score(high),
    share(missing),
    driftCell(drift),
  ];
}

function driftCell(drift) {
  if (drift === null) return '–';
  const isMoved = drift >= moved;
  const number = element('b', drift.toFixed(2), isMoved ? 'moved' : '');
  return [number, shareBar(drift, isMoved ? 'warm' : ''), ...(isMoved ? [element('span', 'moved', 'unseen')] : [])];
}

function distribution(kind, isSensitive, bins) {
  if (isSensitive) return element('span', 'values are not shown', 'quiet');
  if (bins.length === 0) return element('span', 'no value yet', 'quiet');
  return kind === 'oneHot' ? categories(bins) : histogram(bins);
}

function categories(bins) {
  return element(
    'span',
    bins
      .slice(0, 4)
      .map(({ label, recent }) => `${label} ${percent(recent)}`)
      .join(', '),
    'categories',
  );
}

const [width, height] = [168, 30];

/** Bars of the latest rows under a line of those before. */
function histogram(bins) {
  const most = Math.max(...bins.flatMap(({ recent, earlier }) => [recent, earlier ?? 0]), 0.001);
  const step = width / bins.length;
  const y = (value) => (height - (value / most) * (height - 2)).toFixed(1);
  const plot = svg('svg', {
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: 'none',
    class: 'histogram',
    role: 'img',
  });
  plot.setAttribute('aria-label', histogramText(bins));
  const bars = bins.map(({ recent }, bin) => {
    const [left, right] = [(bin * step + 0.5).toFixed(1), ((bin + 1) * step - 0.5).toFixed(1)];
    return `M${left} ${height}V${y(recent)}H${right}V${height}Z`;
  });
  plot.append(svg('path', { d: bars.join(''), class: 'recent' }));
  if (bins.some(({ earlier }) => earlier !== null)) {
    const line = bins.map(({ earlier }, bin) => `V${y(earlier ?? 0)}H${((bin + 1) * step).toFixed(1)}`);
    plot.append(svg('path', { d: `M0 ${height}${line.join('')}V${height}`, class: 'earlier' }));
  }
  return plot;
}

function histogramText(bins) {
  const fullest = bins.reduce((most, bin) => (bin.recent > most.recent ? bin : most));
  return `Histogram from ${bins[0].label} to ${bins.at(-1).label}, most rows near ${fullest.label}`;
}

function svg(tag, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
