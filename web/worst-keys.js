// The keys that are predicted worst lately.
import { $, element, say, shareBar, table } from './dom.js';
import { count, score, share } from './words.js';

export function showWorstKeys({ worstKeys, identity, metric }) {
  const keys = worstKeys ?? [];
  const isKeyed = identity === null || identity.keyField !== null;
  $('no-keys').hidden = isKeyed && keys.length > 0;
  $('keys').hidden = !isKeyed || keys.length === 0;
  say('no-keys', isKeyed ? 'No key has enough rows yet.' : 'All records are of one key: the configuration names none.');
  if (!isKeyed || keys.length === 0) return;
  const isShare = metric === 'accuracy';
  const write = isShare ? share : score;
  const most = Math.max(...keys.map(({ error }) => error));
  const rows = keys.map(({ key, error, baselineError, rows: seen }) => [
    key ?? element('span', 'not shown', 'quiet'),
    [element('b', write(error)), shareBar(most > 0 ? error / most : 0, error > baselineError ? 'warm' : '')],
    write(baselineError),
    count(seen),
  ]);
  const classes = ['', 'drift-cell'];
  table('keys', [identity?.keyField ?? 'Key', isShare ? 'Wrong' : 'Error', 'Baseline', 'Rows'], rows, classes);
}
