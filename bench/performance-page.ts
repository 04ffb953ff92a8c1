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

/** A goal with what was measured of it. */
interface Comparison extends Goal {
  readonly ours: Figure;
  readonly theirs: Figure;
  /** How many times better ours is. */
  readonly ratio: number;
}

const introduction = `Ours and the peer's program ran one after the other in one run on one machine. A value is the median of its runs, with the lowest
and the highest in brackets; a ratio above 1 says that ours is better. The peers' programs are in \`bench/peers/\`, their versions in
\`bench/peers/requirements.txt\`. PyTorch and TensorFlow had one thread each. \`npm run bench:peers\` repeats it.`;

const notMeasured = `## Not measured

GPUs: both ways to one (\`npm run native -- --gpu\`, \`backend: webgpu\`) are built and tested on the CPU, and their speed on a GPU is not
measured. Nor are networks (the broker runs on the same machine and shares its cores with the pipeline) and months of uptime.
`;

/** The page, in Markdown. */
export function performancePage(performance: Performance): string {
  const { date, commit, machine, figures } = performance;
  const compared = goals.flatMap((goal) => comparison(goal, figures) ?? []);
  const groups = [...new Set(compared.map(({ group }) => group))];
  const parts = [
    '# Performance\n',
    '<!-- Written by `npm run bench:peers -- --page docs/performance.md`. -->\n',
    `Measured on ${date} at commit ${commit}: ${machine}.\n`,
    `${introduction}\n`,
    ...groups.map((group) =>
      section(
        group,
        compared.filter((each) => each.group === group),
      ),
    ),
    ...curves(figures),
    `## Ours alone\n\n${ownFigures(figures)}`,
    notMeasured,
  ];
  return parts.join('\n');
}

function comparison(goal: Goal, figures: readonly Figure[]): Comparison | null {
  const kindAt = goal.figure.lastIndexOf('.');
  const theirName = `${goal.figure.slice(0, kindAt)}.${goal.peer}${goal.figure.slice(kindAt)}`;
  const ours = figures.find(({ name }) => name === goal.figure);
  const theirs = figures.find(({ name }) => name === theirName);
  if (ours === undefined || theirs === undefined) return null;
  const ratio = ours.better === 'higher' ? ours.value / theirs.value : theirs.value / ours.value;
  return { ...goal, ours, theirs, ratio };
}

function section(group: string, compared: readonly Comparison[]): string {
  const lines = compared.map(({ label, ours, theirs, ratio, times }) => {
    const cells = [label, valueOf(ours), valueOf(theirs), `**${ratio.toFixed(2)} ×**`, `${times} ×`];
    return `| ${cells.join(' | ')} |`;
  });
  const table = ['| | ours | theirs | ratio | goal |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
  return `## ${group}\n\n${chart(compared)}\n\n${table}\n`;
}

/** Bars of the ratios and a line of the goals, drawn by Mermaid, which GitHub and others do. */
function chart(compared: readonly Comparison[]): string {
  return [
    '```mermaid',
    'xychart-beta',
    `  x-axis [${compared.map(({ label }) => JSON.stringify(label)).join(', ')}]`,
    '  y-axis "times better"',
    `  bar [${compared.map(({ ratio }) => ratio.toFixed(2)).join(', ')}]`,
    `  line [${compared.map(({ times }) => times).join(', ')}]`,
    '```',
  ].join('\n');
}

const curveTitles = {
  features: 'features, the first layer as wide',
  partitions: 'partitions of a topic in Kafka',
  batch: 'rows of a batch',
  model: 'units of each of two hidden layers',
};

/** A chart for each thing that was made larger, from the embedded log to learned. */
function curves(figures: readonly Figure[]): readonly string[] {
  return Object.entries(curveTitles).flatMap(([name, title]) => {
    const pattern = new RegExp(`^scaling\\.${name}\\.(\\d+)\\.rowsPerSecond$`);
    const points = figures.filter((figure) => pattern.test(figure.name));
    if (points.length === 0) return [];
    const lines = [
      '```mermaid',
      'xychart-beta',
      `  x-axis [${points.map((point) => JSON.stringify(pattern.exec(point.name)?.[1])).join(', ')}]`,
      '  y-axis "rows/s learned"',
      `  line [${points.map(({ value }) => Math.round(value)).join(', ')}]`,
      '```',
    ];
    return [`## Scaling: ${title}\n\n${lines.join('\n')}\n`];
  });
}

function ownFigures(figures: readonly Figure[]): string {
  const own = figures.filter(({ against }) => against === null);
  const lines = own.map((figure) => `| ${figure.name} | ${valueOf(figure)} | ${figure.note ?? ''} |`);
  return ['| figure | value | backend |', '| --- | --- | --- |', ...lines, ''].join('\n');
}

function valueOf({ value, unit, runs }: Figure): string {
  return `${shown(value)} ${unit} (${shown(Math.min(...runs))} … ${shown(Math.max(...runs))})`;
}
