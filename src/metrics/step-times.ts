import type client from 'prom-client';
import type { StepReport } from '../records.ts';
import { maxTopicLength, type ExemplarLabel } from './definitions.ts';

/** The partition that an `originId` stands for. */
export type OriginOf = (originId: number) => { readonly topic: string; readonly partition: number };

type Label = ExemplarLabel<'millrace_step_seconds'>;

/** The time of each step. The slowest since the last scrape names its rows: to name those of every step costs as much as a small one. */
export class StepTimes {
  readonly #histogram: client.Histogram<Label>;
  #slowestSeconds = 0;
  /** Until it is set, no rows are named. */
  originOf: OriginOf | null = null;

  constructor(histogram: client.Histogram<Label>) {
    this.#histogram = histogram;
  }

  observe({ seconds, origin }: StepReport): void {
    if (seconds <= this.#slowestSeconds || origin === null || this.originOf === null) {
      this.#histogram.observe({ value: seconds });
      return;
    }
    this.#slowestSeconds = seconds;
    const { topic, partition } = this.originOf(origin.originId);
    const offsets = `${origin.firstOffset}-${origin.lastOffset}`;
    this.#histogram.observe({ value: seconds, exemplarLabels: { topic: cut(topic), partition, offsets } });
  }

  scraped(): void {
    this.#slowestSeconds = 0;
  }
}

/** The end of a long name tells more topics apart than its beginning. */
function cut(topic: string): string {
  return topic.length <= maxTopicLength ? topic : `…${topic.slice(1 - maxTopicLength)}`;
}
