// One line chart over time: a legend that shows the values under the pointer (the latest otherwise), and the plot.
import uPlot from './uplot/uPlot.esm.js';
import { tick } from './words.js';

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colours = ['--accent', '--baseline', '--second', '--quiet'];

export class Chart {
  #plot = null;
  #lines = [];
  #data = [[]];
  #host;
  #legend;
  #canvas;
  #format;
  #range;

  /** `format` writes a value; `range(min, max, values)` chooses the vertical range. */
  constructor(host, { format, range }) {
    this.#host = host;
    this.#format = format;
    this.#range = range;
    this.#legend = host.appendChild(document.createElement('ul'));
    this.#legend.className = 'legend';
    this.#canvas = host.appendChild(document.createElement('div'));
    this.#canvas.className = 'plot';
    this.#canvas.setAttribute('role', 'img');
    new ResizeObserver(() => this.#resize()).observe(this.#canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#build());
  }

  /** `lines`: [{ label, colour (index), dashed }]; `columns`: [seconds, values of each line…]. */
  set(lines, columns) {
    const isSame = lines.map((line) => line.label).join('\n') === this.#lines.map((line) => line.label).join('\n');
    this.#lines = lines;
    this.#data = columns;
    if (isSame && this.#plot !== null) this.#plot.setData(columns);
    else this.#build();
    if (this.#plot.cursor.idx === null || this.#plot.cursor.idx === undefined) this.#say(columns[0].length - 1);
    this.#describe();
  }

  #build() {
    this.#plot?.destroy();
    const axis = { stroke: style('--quiet'), grid: { stroke: style('--grid'), width: 1 }, ticks: { show: false } };
    const font = '12px system-ui, sans-serif';
    this.#plot = new uPlot(
      {
        width: Math.max(200, this.#canvas.clientWidth),
        height: this.#canvas.clientHeight,
        legend: { show: false },
        cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
        scales: {
          x: { time: true, range: (_plot, min, max) => [min, Math.max(max, min + 10)] },
          y: { range: (_plot, min, max) => this.#range(min, max, this.#data.slice(1)) },
        },
        axes: [
          {
            ...axis,
            font,
            size: 24,
            grid: { show: false },
            space: 80,
            incrs: timeSteps,
            values: (_plot, ticks) => ticks.map(clockLabel),
          },
          { ...axis, font, size: 52, space: 26, values: (_plot, ticks) => ticks.map(tick) },
        ],
        series: [{}, ...this.#lines.map((line) => this.#series(line))],
        hooks: { setCursor: [(plot) => this.#say(plot.cursor.idx ?? this.#data[0].length - 1)] },
      },
      this.#data,
      this.#canvas,
    );
    this.#legend.replaceChildren(...this.#lines.map(legendEntry));
    this.#say(this.#data[0].length - 1);
  }

  #series({ label, colour, dashed }) {
    return {
      label,
      stroke: style(colours[colour]),
      width: 2,
      spanGaps: true,
      points: { show: false },
      ...(dashed ? { dash: [6, 4] } : {}),
    };
  }

  #say(index) {
    this.#lines.forEach((line, lineIndex) => {
      const value = this.#data[lineIndex + 1]?.[index] ?? null;
      this.#legend.children[lineIndex].querySelector('b').textContent = value === null ? '–' : this.#format(value);
    });
  }

  #describe() {
    const last = this.#lines.map((line, index) => {
      const value = this.#data[index + 1]?.at(-1) ?? null;
      return `${line.label} ${value === null ? 'no value yet' : this.#format(value)}`;
    });
    this.#canvas.setAttribute('aria-label', `Line chart over time, now: ${last.join(', ')}`);
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width > 0 && this.#plot !== null) this.#plot.setSize({ width, height });
  }
}

function legendEntry({ label, colour, dashed }) {
  const entry = document.createElement('li');
  entry.className = `c${colour}`;
  const mark = document.createElement('i');
  if (dashed) mark.className = 'dashed';
  entry.append(mark, `${label} `, document.createElement('b'));
  return entry;
}

/** Seconds between the labels of an axis of time. */
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 172_800];

const clockLabel = (seconds) => new Date(seconds * 1000).toLocaleTimeString('en-GB');

/** From 0 up to the largest value after the first tenth: what was waiting at the start comes at another rate. */
export function fromZero(_min, _max, lines) {
  const max = Math.max(0, ...settled(lines));
  return [0, max > 0 ? max * 1.12 : 1];
}

/** Where the lines are after their first tenth: a wild beginning would squeeze the rest to a flat line. */
export function whereItMatters(_min, _max, lines) {
  const values = settled(lines);
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  return [low - margin, high + margin];
}

/** At most a few thousand values. */
function settled(lines) {
  return lines.flatMap((line) => line.slice(Math.floor(line.length / 10))).filter((value) => value !== null);
}
