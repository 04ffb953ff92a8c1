// The live page: takes the state document from /events, and shows each part of it when that part has changed.
import { $, say } from './dom.js';
import { showDeadLetters } from './dead-letters.js';
import { showDecisions } from './decisions.js';
import { showFeatures } from './features.js';
import { showLags } from './lags.js';
import { showModels } from './models.js';
import { showIdentity, showOutcomes, showSentence, showTiles, showUptime } from './overview.js';
import { showForm, showFormHints } from './predict.js';
import { showCharts } from './score-charts.js';
import { showStages } from './stages.js';
import { showCheckpoints, showVersion } from './versions.js';
import { showWorstKeys } from './worst-keys.js';
import { clock } from './words.js';

/** What is shown of which members of the document. */
const sections = [
  { of: ['identity'], show: showIdentity },
  { of: ['identity'], show: showForm },
  { of: ['atMs', 'startedAtMs'], show: showUptime },
  { of: ['sentence', 'moments', 'state', 'warnings'], show: showSentence },
  {
    of: [
      'better',
      'metric',
      'models',
      'state',
      'rowsPerSecond',
      'freshnessSeconds',
      'lagSeconds',
      'lagRecords',
      'bottleneck',
    ],
    show: showTiles,
  },
  { of: ['records'], show: showOutcomes },
  { of: ['bottleneck', 'identity'], show: showStages },
  { of: ['models'], show: showModels },
  { of: ['history', 'identity', 'metric'], show: showCharts },
  { of: ['serving'], show: showVersion },
  { of: ['serving'], show: showDecisions },
  { of: ['serving', 'checkpoints', 'metric'], show: showCheckpoints },
  { of: ['features'], show: showFeatures },
  { of: ['features', 'identity', 'serving'], show: showFormHints },
  { of: ['worstKeys', 'identity', 'metric'], show: showWorstKeys },
  { of: ['lags', 'partitions'], show: showLags },
  { of: ['deadLetters'], show: showDeadLetters },
];

let status = null;
let changed = new Set();
let isFrameAsked = false;
let heardAtMs = Date.now();

connect();
setInterval(watchConnection, 1000);

function connect() {
  const events = new EventSource('events');
  events.addEventListener('state', ({ data }) => take(JSON.parse(data)));
  events.addEventListener('update', ({ data }) => {
    const { history, ...members } = JSON.parse(data);
    const { revision, from, points } = history;
    const isGrown = points.length > 0;
    take({
      ...members,
      ...(isGrown ? { history: { revision, points: [...status.history.points.slice(0, from), ...points] } } : {}),
    });
  });
  events.addEventListener('error', () => {
    // The browser tries again by itself, except after an answer that was no stream (too many who watch).
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
  });
}

/** Notes what is new; shown once a frame however many updates come. */
function take(members) {
  status = { ...status, ...members };
  for (const name of Object.keys(members)) changed.add(name);
  heardAtMs = Date.now();
  watchConnection();
  if (isFrameAsked) return;
  isFrameAsked = true;
  requestAnimationFrame(() => {
    isFrameAsked = false;
    const names = changed;
    changed = new Set();
    for (const { of, show } of sections) if (of.some((name) => names.has(name))) show(status);
    document.body.dataset.state = status.state;
  });
}

function watchConnection() {
  const isLive = Date.now() - heardAtMs < 4000;
  const isHeard = status !== null;
  $('connection').className = `connection ${isLive && isHeard ? 'live' : isHeard ? 'lost' : ''}`;
  say('connection', isLive ? (isHeard ? 'live' : 'connecting') : `no contact since ${clock(heardAtMs)}, trying again`);
  document.body.classList.toggle('lost-contact', !isLive);
}
