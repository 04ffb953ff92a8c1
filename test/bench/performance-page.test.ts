import assert from 'node:assert/strict';
import test from 'node:test';
import type { Figure } from '../../bench/figures.ts';
import { performancePage } from '../../bench/performance-page.ts';

const figure = (name: string, value: number, better: Figure['better'], against: string | null = null): Figure => ({
  name,
  value,
  unit: better === 'higher' ? 'rows/s' : 'ms',
  better,
  runs: [value / 2, value, value * 2],
  against,
  note: against === null ? 'wasm' : null,
});

const page = performancePage({
  date: '2026-01-02',
  commit: 'abc1234',
  machine: 'Node v20, 2 × a processor',
  figures: [
    figure('decode.avro.rowsPerSecond', 9_000_000, 'higher'),
    figure('decode.avro.avsc.rowsPerSecond', 1_000_000, 'higher', 'avsc'),
    figure('scaling.batch.32.rowsPerSecond', 50_000, 'higher'),
    figure('scaling.batch.8192.rowsPerSecond', 900_000, 'higher'),
    figure('step.32.msPerStep', 0.5, 'lower'),
    figure('step.32.PyTorch Adam.msPerStep', 1.5, 'lower', 'PyTorch Adam'),
  ],
});

test('a ratio above 1 says that ours is better, whether more or less is better', () => {
  assert.match(page, /\| avsc +\|.*\*\*9\.00 ×\*\* \| 8 × \|/);
  assert.match(page, /\| 32 rows +\|.*\*\*3\.00 ×\*\* \| 2 × \|/);
});

test('values are shown with their spread, and where and when they were measured', () => {
  assert.match(page, /Measured on 2026-01-02 at commit abc1234: Node v20, 2 × a processor\./);
  assert.match(page, /9,000,000 rows\/s \(4,500,000 … 18,000,000\)/);
});

test('points of a curve are drawn in their order', () => {
  assert.match(page, /## Scaling: rows of a batch[^]*x-axis \["32", "8192"\][^]*line \[50000, 900000\]/);
  assert.doesNotMatch(page, /Scaling: features/);
});

test('goals without figures are left out, and peers are not among ours alone', () => {
  assert.doesNotMatch(page, /fastavro \|/);
  assert.doesNotMatch(page.slice(page.indexOf('## Ours alone')), /PyTorch/);
});
