// The latest records that could not be used, each with its reason, where it stands and what it was.
import { $, element, fill, say } from './dom.js';
import { clock, count } from './words.js';

export function showDeadLetters({ deadLetters: { total, latest } }) {
  say('dead-total', total === 0 ? '' : `${count(total)} in all`);
  $('no-dead').hidden = total > 0;
  say('no-dead', total === 0 ? 'None: every record could be used.' : '');
  fill('dead', latest, ({ reason, topic, partition, offset, atMs, preview, detail }) => {
    const what = element('span', '', 'what');
    what.append(element('span', reason, 'reason'), ` ${detail}`);
    return [
      element('span', clock(atMs), 'quiet'),
      what,
      element('span', `${topic}:${partition} @ ${count(offset)}`, 'place quiet'),
      element('code', preview),
    ];
  });
}
