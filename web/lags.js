// How far reading is behind the end of each partition.
import { $, element, say, shareBar, table } from './dom.js';
import { count } from './words.js';

const shown = 50;

export function showLags({ lags, partitions }) {
  $('no-lags').hidden = lags.length > 0;
  $('lags').hidden = lags.length === 0;
  const listed = lags.slice(0, shown);
  say('partitions', partitions > listed.length ? `the ${listed.length} furthest behind of ${count(partitions)}` : '');
  const most = Math.max(1, ...listed.map((lag) => lag.records ?? 0));
  const sorted = listed.toSorted((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  const rows = sorted.map(({ topic, partition, nextOffset, records }) => [
    `${topic}:${partition}`,
    nextOffset < 0 ? '–' : count(nextOffset),
    records === null ? '–' : [element('b', count(records)), shareBar(records / most)],
  ]);
  table('lags', ['Partition', 'Next offset', 'Behind'], rows, ['', 'spread', 'drift-cell']);
}
