// Which stage bounds throughput now: the stages in the order in which records pass, and how much of the time each works.
import { element, fill, say, shareBar } from './dom.js';
import { percent } from './words.js';

const names = { decode: 'Decode', operators: 'Operators', step: 'Step', checkpoint: 'Checkpoint' };
const sources = { kafka: 'Broker', log: 'Log', csv: 'File' };
const explanations = {
  source: 'reading it, and all else on the main thread',
  decode: 'bytes to columns',
  operators: 'derive, normalize',
  step: 'predict, score, learn',
  checkpoint: 'pauses to save',
};

/** The stage within a sentence. */
export function stageWords(stage, identity) {
  const words = { decode: 'decoding', operators: 'the operators', step: 'the step', checkpoint: 'checkpoints' };
  return words[stage] ?? `the ${stageName(stage, identity).toLowerCase()}`;
}

function stageName(stage, identity) {
  return stage === 'source' ? (sources[identity?.source] ?? 'Source') : names[stage];
}

export function showStages({ bottleneck, identity }) {
  const { bound, because, shares, ring } = bottleneck;
  const heads = { none: 'Nothing holds records up', unknown: 'Not known' };
  say('bound', heads[bound] ?? `Bound by ${stageWords(bound, identity)}`);
  say('because', because);
  say('ring', ring === null ? '' : `Ring between the threads: ${percent(ring)} full.`);
  fill('stages', Object.keys(explanations), (stage, item) => {
    const share = shares?.[stage] ?? null;
    if (stage === bound) item.className = 'bound';
    const name = element('span', stageName(stage, identity), 'stage');
    if (stage === bound) name.append(element('span', 'bounds', 'pill served'));
    return [
      name,
      element('b', share === null ? '–' : percent(share)),
      shareBar(share ?? 0, stage === bound ? 'strong' : ''),
      element('span', explanations[stage], 'quiet'),
    ];
  });
}
