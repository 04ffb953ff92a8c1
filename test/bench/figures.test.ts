import assert from 'node:assert/strict';
import test from 'node:test';
import { figuresOf, missingFigures, type Figure } from '../../bench/figures.ts';
import { measure, median, quantile, type Run } from '../../bench/measure.ts';
import { stages } from '../../bench/stages.ts';
import { deepSubjects, subjects } from '../../bench/subjects.ts';
import { tableLine } from '../../bench/table.ts';

const run: Run = { rows: 2000, seconds: 0.5, cpuSeconds: 1, peakRssBytes: 3 * 2 ** 20, ageMs: { p50: 20, p99: 40 } };

/** Every figure of the table, as if each stage had run. */
function allFigures(): readonly Figure[] {
  return subjects.flatMap((subject) => figuresOf(subject, { subject: subject.name, runs: [run], note: null }));
}

test('the table has a rate and a cost for every stage from the source to the step, and for the whole chain', () => {
  const steps = ['', '.wasm', '.cpu'].flatMap((engine) =>
    (engine === '' ? [32, 256, 1024, 4096] : [32, 1024]).map((rows) => `step${engine}.${rows}`),
  );
  const jobs = ['kafka', 'kafka.4096', 'kafka.wasm', 'log', 'log.wasm'].map((name) => `endToEnd.${name}`);
  const wanted = [
    ...['none', 'gzip', 'snappy', 'lz4', 'zstd'].flatMap((codec) =>
      [1, 8].flatMap((partitions) => [`fetch.${codec}.${partitions}`, `fetch.${codec}.${partitions}.kafkajs`]),
    ),
    'logRead',
    'decode.avro',
    'decode.json',
    'decode.csv',
    'derive',
    'normalize',
    'batch',
    ...steps,
    ...jobs,
  ].flatMap((name) => [`${name}.rowsPerSecond`, `${name}.cpuSecondsPerMillion`]);
  const more = [
    ...steps.map((name) => `${name}.msPerStep`),
    ...jobs.map((name) => `${name}.peakRssMiB`),
    ...['freshness.p50Ms', 'freshness.p99Ms', 'freshness.cpuSecondsPerMillion'],
  ];
  const names = allFigures().map(({ name }) => name);
  assert.deepEqual([...names].sort(), [...wanted, ...more].sort());
});

test('a figure of another program says of which', () => {
  const against = allFigures().filter((figure) => figure.against !== null);
  assert.ok(against.length > 0);
  assert.ok(against.every((figure) => figure.against === 'kafkajs' && figure.name.includes('.kafkajs.')));
});

test('every stage measures a subject of the table', () => {
  const named = new Set([...subjects, ...deepSubjects].map(({ stage }) => stage));
  assert.deepEqual([...named].sort(), Object.keys(stages).sort());
});

test('a whole table misses nothing', () => {
  assert.deepEqual(missingFigures(allFigures()), []);
});

test('a row that was not measured is missing by its name, unless it is excused', () => {
  const found = allFigures().filter(({ name }) => !name.startsWith('derive.'));
  assert.deepEqual(missingFigures(found), ['derive.rowsPerSecond', 'derive.cpuSecondsPerMillion']);
  assert.deepEqual(missingFigures(found, new Set(['derive'])), []);
});

test('a figure that is not a finite number is missing', () => {
  const [first, ...others] = allFigures();
  assert.ok(first !== undefined);
  assert.deepEqual(missingFigures([{ ...first, value: NaN }, ...others]), [first.name]);
});

test('figures are medians of their runs in the units they name', () => {
  const subject = subjects.find(({ name }) => name === 'step.1024');
  assert.ok(subject !== undefined);
  const runs = [run, { ...run, seconds: 1 }, { ...run, seconds: 4, cpuSeconds: 8 }];
  const figures = figuresOf(subject, { subject: subject.name, runs, note: 'wasm' });
  assert.deepEqual(
    figures.map(({ name, value, unit, better }) => ({ name, value, unit, better })),
    [
      { name: 'step.1024.rowsPerSecond', value: 2000, unit: 'rows/s', better: 'higher' },
      { name: 'step.1024.cpuSecondsPerMillion', value: 500, unit: 'CPU-s per million', better: 'lower' },
      { name: 'step.1024.msPerStep', value: 512, unit: 'ms', better: 'lower' },
    ],
  );
  assert.deepEqual(figures[0]?.runs, [4000, 2000, 500]);
});

test('median is the middle value, or the mean of two', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('quantile is the smallest value that so many do not exceed', () => {
  const values = Float64Array.from({ length: 200 }, (_, n) => n + 1);
  assert.deepEqual(
    [0, 0.5, 0.99, 1].map((q) => quantile(values, q)),
    [1, 100, 198, 200],
  );
  assert.ok(Number.isNaN(quantile(new Float64Array(0), 0.5)));
});

test('measure keeps the runs after the warm-up', async () => {
  let calls = 0;
  const once = (): Promise<Run> => Promise.resolve({ ...run, rows: (calls += 1) });
  const { runs } = await measure('batch', { warmUps: 2, runs: 3 }, once);
  assert.deepEqual(
    runs.map(({ rows }) => rows),
    [3, 4, 5],
  );
});

test('a line of the table shows median, unit and spread', () => {
  const figure: Figure = {
    name: 'batch.rowsPerSecond',
    value: 1234567,
    unit: 'rows/s',
    better: 'higher',
    runs: [1000, 1234567, 0.5],
    against: null,
    note: 'wasm',
  };
  const line = tableLine(figure).replaceAll(/ +/g, ' ');
  assert.equal(line, 'batch.rowsPerSecond 1,234,567 rows/s 0.500 … 1,234,567 wasm');
});
