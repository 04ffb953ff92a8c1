import client from 'prom-client';
import { metricDefinitions } from './definitions.ts';
import type { ExemplarLabel, LabelName, MetricDefinition, MetricName } from './definitions.ts';

type Registry = client.Registry<client.OpenMetricsContentType>;

/** The metrics of one registry by name, with the label names that each was defined with. */
export interface Instruments {
  counter<Name extends MetricName<'counter'>>(name: Name): client.Counter<LabelName<Name>>;
  gauge<Name extends MetricName<'gauge'>>(name: Name): client.Gauge<LabelName<Name>>;
  /** One with exemplars takes an observation as `{ value, exemplarLabels }`. */
  histogram<Name extends MetricName<'histogram'>>(name: Name): client.Histogram<LabelName<Name> | ExemplarLabel<Name>>;
}

/** Makes a metric in `registry` for each definition; counters start at 0, gauges are absent until set. */
export function instruments(registry: Registry): Instruments {
  const counters = new Map<string, client.Counter>();
  const gauges = new Map<string, client.Gauge>();
  const histograms = new Map<string, client.Histogram>();
  for (const definition of metricDefinitions as readonly MetricDefinition[]) {
    const { name, help, type } = definition;
    const options = { name, help, labelNames: Object.keys(definition.labels ?? {}), registers: [registry] };
    if (type === 'counter') counters.set(name, startedAtZero(new client.Counter(options), definition));
    if (type === 'gauge') gauges.set(name, absentUntilSet(new client.Gauge(options)));
    if (type === 'histogram') {
      const { buckets = [], exemplar } = definition;
      const enableExemplars = exemplar !== undefined;
      histograms.set(name, new client.Histogram({ ...options, buckets: [...buckets], enableExemplars }));
    }
  }
  return {
    counter: (name) => known(counters, name),
    gauge: (name) => known(gauges, name),
    histogram: (name) => known(histograms, name),
  };
}

/** A counter that is there from the start, so that its first increase is seen as one. */
function startedAtZero(counter: client.Counter, { labels = {} }: MetricDefinition): client.Counter {
  const [only, ...more] = Object.entries(labels);
  if (only !== undefined && more.length === 0 && typeof only[1] !== 'string') {
    for (const value of only[1]) counter.inc({ [only[0]]: value }, 0);
  }
  return counter;
}

/** A gauge without labels would be 0 until it is set: a freshness of nothing, a checkpoint of 1970. */
function absentUntilSet(gauge: client.Gauge): client.Gauge {
  gauge.remove({});
  return gauge;
}

function known<T>(metrics: ReadonlyMap<string, T>, name: string): T {
  const metric = metrics.get(name);
  if (metric === undefined) throw new Error(`${name} is not defined`);
  return metric;
}
