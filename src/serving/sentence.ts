import type { Outcomes } from '../records.ts';
import { clockOf, countOf, durationOf, percentOf, baselineWords, scoreOf } from './words.ts';

/** Something that is not as it should be, and since when. */
export interface Trouble {
  readonly message: string;
  readonly sinceMs: number;
}

/** The served model beside the baseline, by the leading metric. */
export interface Comparison {
  readonly metric: string;
  readonly score: number;
  readonly baselineScore: number;
  readonly baselineKind: string;
}

export type State = 'starting' | 'learning' | 'waiting' | 'troubled' | 'finished';

/** What the sentence is made from. */
export interface Facts {
  readonly state: State;
  readonly nowMs: number;
  readonly reasons: readonly Trouble[];
  readonly warnings: readonly Trouble[];
  readonly records: Outcomes;
  readonly rowsPerSecond: number;
  readonly comparison: Comparison | null;
  /** Null where the source does not know how far it is behind. */
  readonly lagRecords: number | null;
  readonly lagSeconds: number;
  readonly lastLearnedMs: number | null;
}

/** Says in one sentence how it is going and, if not well, why and since when. */
export function sentenceOf(facts: Facts): string {
  const main = `${mainClause(facts)}.`;
  const [warning] = facts.warnings;
  return warning === undefined ? main : `${main} But since ${clockOf(warning.sinceMs)}: ${bare(warning.message)}.`;
}

function mainClause(facts: Facts): string {
  const why = facts.reasons.map(({ message }) => bare(message)).join('; ');
  switch (facts.state) {
    case 'starting':
      return `Starting: ${why}`;
    case 'troubled':
      return `Not ready since ${clockOf(Math.min(...facts.reasons.map(({ sinceMs }) => sinceMs)))}: ${why}`;
    case 'finished':
      return finished(facts);
    case 'waiting':
      return waiting(facts);
    case 'learning':
      return [
        `Learning ${countOf(facts.rowsPerSecond)} rows/s`,
        ...comparisons(facts.comparison),
        ...(facts.lagRecords === null ? [] : [behind(facts.lagSeconds)]),
      ].join('; ');
  }
}

function behind(lagSeconds: number): string {
  return lagSeconds < 0.05 ? 'up to the end of the log' : `${durationOf(lagSeconds)} behind the log`;
}

function finished({ records, comparison }: Facts): string {
  const rest = (['unlabelled', 'pending', 'filtered', 'rejected'] as const)
    .filter((outcome) => records[outcome] > 0)
    .map((outcome) => `${countOf(records[outcome])} ${outcome}`);
  const learned = `Everything is learned: ${countOf(records.trained)} of ${countOf(records.read)} records trained`;
  const accounted = rest.length === 0 ? learned : `${learned} (${rest.join(', ')})`;
  if (comparison === null) return accounted;
  const { metric, score, baselineScore } = comparison;
  const scores = metric === 'accuracy' ? [] : [`${nameOf(metric)} ${scoreOf(score)} against ${scoreOf(baselineScore)}`];
  return [accounted, ...scores, ...comparisons(comparison)].join('; ');
}

function waiting({ lagRecords, lagSeconds, lastLearnedMs, nowMs, comparison, records }: Facts): string {
  if (lastLearnedMs === null) {
    const before = records.trained === 0 ? 'no record has been' : `${countOf(records.trained)} records were`;
    return [`Ready: ${before} learned so far`, ...comparisons(comparison)].join('; ');
  }
  const ago = durationOf((nowMs - lastLearnedMs) / 1000);
  const isBehind = (lagRecords ?? 0) > 0 || lagSeconds > 0;
  const clause = isBehind
    ? `Nothing learned for ${ago} while records wait`
    : `Waiting for records: all so far are learned, the latest ${ago} ago`;
  return [clause, ...comparisons(comparison)].join('; ');
}

function comparisons(comparison: Comparison | null): readonly string[] {
  if (comparison === null) return [];
  const { metric, score, baselineScore, baselineKind } = comparison;
  const baseline = baselineWords(baselineKind);
  if (metric === 'accuracy') return [`${percentOf(score)} right (${baseline}: ${percentOf(baselineScore)})`];
  const better = betterBy(comparison);
  if (better === null) return [];
  return [`${percentOf(Math.abs(better))} ${better >= 0 ? 'better' : 'worse'} than ${baseline}`];
}

/** By what fraction the error is below the baseline's; for accuracy the difference of the two. Null where the baseline makes no error. */
export function betterBy({ metric, score, baselineScore }: Comparison): number | null {
  if (metric === 'accuracy') return score - baselineScore;
  return baselineScore > 0 ? 1 - score / baselineScore : null;
}

function nameOf(metric: string): string {
  return metric.toUpperCase();
}

/** Messages of errors end as they like; here they stand within a sentence. */
function bare(message: string): string {
  return message.replace(/[.\s]+$/, '');
}
