// The version that answers predictions, and the checkpoints that versions are made from.
import { $, element, say, table } from './dom.js';
import { bytes, count, dayAndClock, duration, score, shortId, shortName } from './words.js';

export function showVersion({ serving }) {
  $('no-version').hidden = serving !== null;
  $('version').hidden = serving === null;
  if (serving === null) return;
  const { served, servedSinceMs, newest, trainedThrough } = serving;
  say('version-head', headOf(serving));
  say('version-why', whyOf(serving));
  say('version-id', shortId(served.id));
  $('version-id').title = served.id;
  say('version-since', dayAndClock(servedSinceMs));
  say('version-saved', dayAndClock(served.savedAtMs));
  say('version-age', served.id === newest.id ? 'it is the newest' : distance(served, newest));
  say('version-step', count(served.step));
  say('version-through', trainedThrough === null ? '–' : dayAndClock(Date.parse(trainedThrough)));
}

function headOf({ served, newest, isPinned, heldInARow }) {
  const name = served.id === newest.id ? 'The newest version' : `Version ${shortId(served.id)}`;
  const head = `${name} is ${isPinned ? 'pinned' : 'served'}`;
  if (heldInARow === 0) return head;
  return `${head}; ${heldInARow === 1 ? 'a newer one is held' : `${count(heldInARow)} newer ones in a row are held`}`;
}

function whyOf({ heldInARow, decisions }) {
  const held = heldInARow > 0 ? decisions.find(({ action }) => action === 'held') : undefined;
  if (held !== undefined) return `Version ${shortId(held.version)}: ${held.message}`;
  return decisions[0]?.message ?? '';
}

function distance(served, newest) {
  return `${duration((newest.savedAtMs - served.savedAtMs) / 1000)}, ${count(newest.step - served.step)} steps`;
}

export function showCheckpoints({ serving, checkpoints, metric }) {
  $('no-checkpoints').hidden = checkpoints.length > 0;
  $('checkpoints').hidden = checkpoints.length === 0;
  const rows = checkpoints.map(({ id, step, atMs, seconds, bytes: size, score: at }) => {
    const name = [shortId(id), ...marksOf(id, serving).map((mark) => element('span', mark, `pill ${mark}`))];
    return [name, dayAndClock(atMs), count(step), score(at), bytes(size), seconds === null ? '–' : duration(seconds)];
  });
  table('checkpoints', ['Version', 'Saved', 'Step', `${shortName(metric)} lately`, 'Size', 'Took'], rows, ['', 'text']);
}

function marksOf(id, serving) {
  if (serving === null) return [];
  const { served, newest, previous, isPinned } = serving;
  const isServed = id === served.id;
  return [
    ...(isServed ? ['served'] : []),
    ...(isServed && isPinned ? ['pinned'] : []),
    ...(id === newest.id ? ['newest'] : []),
    ...(id === previous ? ['previous'] : []),
  ];
}
