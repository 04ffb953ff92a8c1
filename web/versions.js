// The version that answers predictions, and the checkpoints that versions are made from.
import { $, element, say, table } from './dom.js';
import { bytes, count, dayAndClock, duration, score, shortName } from './words.js';

export function showVersion({ version, checkpoints }) {
  $('no-version').hidden = version !== null;
  $('version').hidden = version === null;
  if (version === null) return;
  const saved = checkpoints.find(({ id }) => id === version.id);
  say('version-id', shortId(version.id));
  $('version-id').title = version.id;
  say('version-step', count(version.step));
  say('version-saved', saved === undefined ? '–' : dayAndClock(saved.atMs));
  const { time } = version.trainedThrough;
  say('version-through', time === null ? '–' : dayAndClock(Date.parse(time)));
}

export function showCheckpoints({ version, checkpoints, metric }) {
  $('no-checkpoints').hidden = checkpoints.length > 0;
  $('checkpoints').hidden = checkpoints.length === 0;
  const rows = checkpoints.map(({ id, step, atMs, seconds, bytes: size, score: at }) => {
    const name = [dayAndClock(atMs)];
    if (id === version?.id) name.push(element('span', 'served', 'pill served'));
    return [name, shortId(id), count(step), score(at), bytes(size), seconds === null ? '–' : duration(seconds)];
  });
  table('checkpoints', ['Saved', 'Version', 'Step', `${shortName(metric)} lately`, 'Size', 'Took'], rows, ['', 'text']);
}

/** `checkpoint-000000000042` → `42`. */
const shortId = (id) => id.replace(/^checkpoint-0*/, '');
