/**
 * Rewrites OpenMetrics 1.0 text to the Prometheus text format 0.0.4, in which a counter's HELP and TYPE lines carry
 * `_total`, buckets have no exemplars and nothing marks the end. prom-client renders one of the two only: changing over renames its counters.
 */
export function prometheusText(openMetrics: string): string {
  const counters = new Set([...openMetrics.matchAll(/^# TYPE (\S+) counter$/gm)].map((match) => match[1]));
  return openMetrics
    .replace(/^(# (?:HELP|TYPE)) (\S+)/gm, (line, keyword: string, name: string) =>
      counters.has(name) ? `${keyword} ${name}_total` : line,
    )
    .replace(/^(\w+_bucket\{.*?\} \S+) # \{.*$/gm, '$1')
    .replace(/^# EOF\n$/m, '');
}
