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
  const rows = keys.map(({ key, error, baselineError, rows: seen }) => {
    const isWorse = error > baselineError;
    const bar = shareBar(most > 0 ? error / most : 0, isWorse ? 'warm' : '');
    const name = key ?? element('span', 'not shown', 'quiet');
    const remark = isWorse ? [element('span', 'worse than the baseline', 'unseen')] : [];
    return [
      name,
      [element('b', write(error), isWorse ? 'moved' : ''), bar, ...remark],
      write(baselineError),
      count(seen),
    ];
  });
  const classes = ['', 'drift-cell', '', 'spread'];
  table('keys', [identity?.keyField ?? 'Key', isShare ? 'Wrong' : 'Error', 'Baseline', 'Rows'], rows, classes);
}
