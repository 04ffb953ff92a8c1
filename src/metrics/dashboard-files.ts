import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { dashboards, type Dashboard, type Panel } from './dashboards.ts';
import { metricDefinitions } from './definitions.ts';
import { metric } from './promql.ts';

const datasource = { type: 'prometheus', uid: '${datasource}' };
/** Of the 24 columns of a dashboard. */
const spans = { stat: 4, lines: 8 } as const;
const heights = { stat: 4, lines: 8 } as const;

/** The dashboards as Grafana imports them, by the name of their file. */
export function dashboardFiles(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(dashboards).map(([name, dashboard]) => [`${name}.json`, rendered(name, dashboard)]),
  );
}

function rendered(uid: string, { title, rows }: Dashboard): string {
  // The classic format, which Grafana 11 reads too; the successor writes another.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .tags(['millrace'])
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('instance')
        .label('Process')
        .datasource(datasource)
        .query(`label_values(${metric('millrace_build_info')}, instance)`)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true),
    );
  let id = 0;
  for (const [row, panels] of Object.entries(rows)) {
    builder.withRow(new RowBuilder(row).id((id += 1)));
    for (const panel of panels) builder.withPanel(panelOf(panel).id((id += 1)));
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

function panelOf(panel: Panel): StatBuilder | LinesBuilder {
  const { title, kind, unit, queries, showsExemplars = false } = panel;
  const builder = kind === 'stat' ? new StatBuilder() : new LinesBuilder().axisSoftMin(0).fillOpacity(8);
  builder
    .title(title)
    .description(descriptionOf(panel))
    .datasource(datasource)
    .unit(unit)
    .span(spans[kind])
    .height(heights[kind]);
  for (const query of queries) {
    const target = new DataqueryBuilder().datasource(datasource).expr(query.expr).legendFormat(query.legend);
    // Asked once: the same marks would lie over each other.
    if (showsExemplars && query === queries.at(-1)) target.exemplar(true);
    builder.withTarget(target);
  }
  return builder;
}

/** What the definitions say of the metrics that a panel shows. */
function descriptionOf({ queries }: Panel): string {
  const text = queries.map(({ expr }) => expr).join(' ');
  return metricDefinitions
    .filter(({ name }) => new RegExp(`\\b${name}(_bucket|_count|_sum)?\\b`).test(text))
    .map(({ help }) => help)
    .join('\n\n');
}
