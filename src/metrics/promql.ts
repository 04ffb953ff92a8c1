import type { LabelName, LabelValue, MetricName } from './definitions.ts';

/** What Prometheus and prom-client's defaults add to our own metrics, as far as rules and panels use it. */
export const processMetrics = [
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
] as const;

type HistogramSample = `${MetricName<'histogram'>}_${'bucket' | 'count' | 'sum'}`;
type Sample = MetricName<'counter' | 'gauge'> | HistogramSample | (typeof processMetrics)[number] | 'up';

type Matchers<Name> = Name extends MetricName
  ? { readonly [Label in LabelName<Name>]?: Matcher<LabelValue<Name, Label>> }
  : Readonly<Record<string, never>>;

/** The value that a label has, those that it may have, or the one that it has not. */
type Matcher<Value extends string = string> = Value | readonly Value[] | { readonly not: Value };

/**
 * The PromQL selector of one metric. Names, labels and the values of closed label sets are those of the definitions: the
 * compiler refuses others. `scope` is one more matcher, of the labels that the scrape adds.
 */
export function metric<Name extends Sample>(name: Name, matchers?: Matchers<Name> | null, scope?: string): string {
  const byLabel: Readonly<Record<string, Matcher | undefined>> = matchers ?? {};
  const all = Object.entries(byLabel).flatMap(([label, value]) =>
    value === undefined ? [] : [matching(label, value)],
  );
  if (scope !== undefined) all.push(scope);
  return all.length === 0 ? name : `${name}{${all.join(',')}}`;
}

/** The sum of a metric over its own labels: one value for each process, with every label that the scrape gave it. */
export function total<Name extends MetricName<'counter' | 'gauge'>>(
  name: Name,
  labels: readonly LabelName<Name>[],
  of: (selector: string) => string = (selector) => selector,
): string {
  return `sum without (${labels.join(', ')}) (${of(name)})`;
}

/** A number of minutes as PromQL writes durations. */
export function duration(minutes: number): string {
  const ms = Math.round(minutes * 60_000);
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function matching(label: string, value: Matcher): string {
  if (typeof value === 'string') return `${label}="${value}"`;
  return 'not' in value ? `${label}!="${value.not}"` : `${label}=~"${value.join('|')}"`;
}
