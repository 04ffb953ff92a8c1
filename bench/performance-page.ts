import type { Figure } from './figures.ts';
import { goals, type Goal } from './peers/goals.ts';
import { shown } from './table.ts';

/** What `bench:peers` found, and on what. */
export interface Performance {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly figures: readonly Figure[];
}

const title = `# Performance

<!-- Written by \`npm run docs\` from docs/performance.json, which \`npm run bench:peers -- --json docs/performance.json\` writes. -->
`;

const whatWasDone = `Everything below was measured in one run on one machine, ours and the peer's program one after the other. A value is the
median of its runs; lowest and highest stand in brackets. A ratio above 1 says that ours is better. The peers' programs are in
\`bench/peers/\`, their versions in \`bench/peers/requirements.txt\`: take a look whether they do what you would do.`;

const notMeasured = `## Not measured

GPUs, networks (all brokers run on the same machine and share its cores with the pipeline), months of uptime.
`;

/** The page, in Markdown. */
export function performancePage({ date, commit, machine, figures }: Performance): string {
  const parts = [
    title,
    `Measured on ${date} at commit ${commit}: ${machine}.\n`,
    `${whatWasDone}\n`,
    `## Against others\n\n${comparisons(figures)}`,
    `## Ours alone\n\n${ownFigures(figures)}`,
    notMeasured,
  ];
  return parts.join('\n');
}

function comparisons(figures: readonly Figure[]): string {
  const lines = goals.flatMap((goal) => comparison(goal, figures) ?? []);
  return [
    '| measure | ours | peer | theirs | ratio | goal |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

function comparison({ figure, peer, times }: Goal, figures: readonly Figure[]): string | null {
  const ours = figures.find(({ name, against }) => name === figure && against === null);
  const kindAt = figure.lastIndexOf('.');
  const theirName = `${figure.slice(0, kindAt)}.${peer}${figure.slice(kindAt)}`;
  const theirs = figures.find(({ name }) => name === theirName);
  if (ours === undefined || theirs === undefined) return null;
  const ratio = ours.better === 'higher' ? ours.value / theirs.value : theirs.value / ours.value;
  const cells = [figure, valueOf(ours), peer, valueOf(theirs), `**${ratio.toFixed(2)} ×**`, `${times} ×`];
  return `| ${cells.join(' | ')} |`;
}

function ownFigures(figures: readonly Figure[]): string {
  const own = figures.filter(({ against }) => against === null);
  const lines = own.map((figure) => `| ${figure.name} | ${valueOf(figure)} | ${figure.note ?? ''} |`);
  return ['| measure | value | with |', '| --- | --- | --- |', ...lines, ''].join('\n');
}

function valueOf({ value, unit, runs }: Figure): string {
  return `${shown(value)} ${unit} (${shown(Math.min(...runs))} … ${shown(Math.max(...runs))})`;
}
