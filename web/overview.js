// The head of the page: what runs here, one sentence, the four numbers, and what became of every record.
import { $, element, fill, say } from './dom.js';
import { stageWords } from './stages.js';
import { baselineName, clock, count, duration, rate, score, shortName } from './words.js';

let announced = '';

export function showIdentity({ identity }) {
  say('name', identity?.name ?? 'Live page');
  say('about', identity === null ? '' : `on ${identity.backend}, version ${identity.version}`);
  document.title = identity === null ? 'Millrace' : `${identity.name} · Millrace`;
}

export function showUptime({ atMs, startedAtMs }) {
  say('uptime', `up ${duration((atMs - startedAtMs) / 1000)}`);
}

export function showSentence({ sentence, moments, state, warnings }) {
  // Clock times in it are those of the server's time zone.
  const local = moments.reduce((text, moment) => text.replaceAll(moment.text, clock(moment.ms)), sentence);
  say('sentence', local);
  // The first warning is part of the sentence.
  fill('warnings', warnings.slice(1), ({ message, sinceMs }) => [`Since ${clock(sinceMs)}: ${message}`]);
  $('warnings').hidden = warnings.length < 2;
  // Read out when something is different, not when a number is.
  const situation = [state, ...moments.map(({ ms }) => ms)].join();
  if (situation === announced) return;
  announced = situation;
  say('announcement', local);
}

export function showTiles(status) {
  showBetter(status);
  const { rowsPerSecond, freshnessSeconds, lagSeconds, lagRecords, bottleneck, identity } = status;
  say('throughput', rate(rowsPerSecond));
  const { bound } = bottleneck;
  const isStage = bound !== 'none' && bound !== 'unknown';
  say('throughput-note', isStage ? `bound by ${stageWords(bound, identity)}` : boundNotes[bound]);
  say('freshness', duration(freshnessSeconds));
  say('lag', lagRecords === null ? '–' : duration(lagSeconds));
  say('lag-note', lagRecords === null ? 'no log with an end' : `${count(lagRecords)} records not yet read`);
}

const boundNotes = { none: 'as fast as records come', unknown: 'what bounds it is not known' };

function showBetter({ better, metric, models, state }) {
  const served = models.find((model) => model.role === 'served');
  const baseline = models.find((model) => model.role === 'baseline');
  const isWorse = better !== null && better < 0;
  if (baseline !== undefined) {
    say('better-label', `${isWorse ? 'Worse' : 'Better'} than ${baselineName(baseline.kind)}`);
    // At the end the totals count; while it learns, how it goes lately.
    const isTotal = state === 'finished';
    const of = (model) => score((isTotal ? null : model?.recent[metric]) ?? model?.metrics[metric]);
    say('better-note', `${shortName(metric)} ${of(served)} against ${of(baseline)}, ${isTotal ? 'in all' : 'lately'}`);
  }
  say('better', better === null ? '–' : `${Math.abs(better * 100).toFixed(1)} %`);
  $('better').parentElement.classList.toggle('worse', isWorse);
}

const outcomes = ['trained', 'pending', 'unlabelled', 'filtered', 'rejected'];

export function showOutcomes({ records }) {
  say('read', `${count(records.read)} read`);
  const share = (outcome, part) => {
    part.className = outcome;
    part.style.flexGrow = String(records[outcome]);
    return [];
  };
  fill(
    'outcome-bar',
    outcomes.filter((outcome) => records[outcome] > 0),
    share,
    'span',
  );
  const entry = (outcome) => {
    const name = element('dt', outcome);
    name.prepend(element('i', '', outcome));
    return [name, element('dd', count(records[outcome]))];
  };
  fill('outcomes', outcomes, entry, 'div');
}
