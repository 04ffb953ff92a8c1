// What was decided lately about which version is served, and on what grounds.
import { $, element, table } from './dom.js';
import { change, dayAndClock, shortId } from './words.js';

const actions = {
  promoted: 'promoted',
  held: 'held',
  returned: 'went back to',
  pinned: 'pinned',
  unpinned: 'unpinned',
  rolledBack: 'rolled back to',
};
const names = ['Time', 'Decision', 'Version', 'Against', 'Loss on recent rows', 'Loss on older rows', 'Why'];
const classes = ['', 'text', 'version', 'against', 'recent', 'older', 'text why'];

export function showDecisions({ serving }) {
  const decisions = serving?.decisions ?? [];
  $('no-decisions').hidden = decisions.length > 0;
  $('decisions').hidden = decisions.length === 0;
  const rows = decisions.map(({ action, version, other, message, recent, past, atMs }) => [
    dayAndClock(atMs),
    element('span', actions[action], action === 'held' || action === 'returned' ? 'moved' : ''),
    shortId(version),
    other === null ? '–' : shortId(other),
    changeCell(recent),
    changeCell(past),
    message,
  ]);
  table('decisions', names, rows, classes);
}

/** The change of the loss and, below it, its bounds. */
function changeCell(comparison) {
  if (comparison === null) return '–';
  const { change: median, atLeast, atMost } = comparison;
  return [`${change(median)} %`, element('span', `${change(atLeast)} to ${change(atMost)} %`, 'bounds quiet')];
}
