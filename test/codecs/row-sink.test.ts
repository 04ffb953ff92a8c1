import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoted, RowSink } from '../../src/codecs/row-sink.ts';

const plan = { numbers: ['a'], texts: ['b'], times: ['c'] };

test('a row that is not committed is overwritten and leaves nothing behind', () => {
  const sink = new RowSink(plan, 3);
  sink.putNumber(0, 1);
  sink.putText(0, 'lost');
  sink.putNumber(0, 2);
  sink.putText(0, 'kept');
  sink.putTime(0, 3, 'milliseconds');
  sink.commit(1);
  sink.putText(0, 'lost at the end');
  const columns = sink.columns();
  assert.equal(columns.rowCount, 1);
  assert.deepEqual([...columns.recordIndexes], [1]);
  assert.deepEqual([...columns.numbers[0]!], [2]);
  assert.deepEqual(columns.texts[0], ['kept']);
  assert.deepEqual([...columns.times[0]!], [3]);
});

test('numbers take booleans and null, and refuse what is not finite, too large to square, or no number', () => {
  const value = (put: (sink: RowSink) => unknown): unknown => {
    const sink = new RowSink(plan, 1);
    const fault = put(sink);
    sink.commit(0);
    return fault ?? sink.columns().numbers[0]![0];
  };
  const number = (raw: unknown): unknown => value((sink) => sink.putNumber(0, raw));
  assert.deepEqual([number(1.5), number(true), number(false), number(null), number(undefined)], [1.5, 1, 0, NaN, NaN]);
  assert.deepEqual([number(5e-324), number(-0), number(1e150)], [5e-324, -0, 1e150]);
  for (const bad of [NaN, Infinity, -Infinity, 1e308, 'NaN', '-Infinity', 'inf']) {
    assert.equal(number(bad), 'field.notFinite', String(bad));
  }
  for (const bad of ['1', 'x', {}, [], 1n]) assert.equal(number(bad), 'field.type');

  const text = (raw: string | null): unknown => value((sink) => sink.putNumberText(0, raw));
  assert.deepEqual(
    [text('1.5'), text(' -2e3 '), text('.5'), text('5.'), text('+7'), text('TRUE'), text('False'), text(null)],
    [1.5, -2000, 0.5, 5, 7, 1, 0, NaN],
  );
  for (const bad of ['0x10', '1,5', '1_000', '1 2', 'x', '--1', '1e', '.', `${'1'.repeat(50_000)}x`]) {
    assert.equal(text(bad), 'field.type');
  }
  assert.equal(text('1e400'), 'field.notFinite');
  assert.equal(text('nan'), 'field.notFinite');
});

test('texts take numbers and booleans by their shortest decimal form', () => {
  const sink = new RowSink(plan, 8);
  for (const [index, value] of ['x', '', 0.1, 1e21, true, null, undefined].entries()) {
    assert.equal(sink.putText(0, value), null);
    sink.commit(index);
  }
  assert.deepEqual(sink.columns().texts[0], ['x', '', '0.1', '1e+21', 'true', null, null]);
  assert.equal(sink.putText(0, NaN), 'field.notFinite');
  assert.equal(sink.putText(0, {}), 'field.type');
});

test('times come in three units or as text, as whole milliseconds within the range of Date', () => {
  const sink = new RowSink(plan, 8);
  const day = 86_400_000;
  const times = [
    [1500.9, 'milliseconds'],
    [1_500_999, 'microseconds'],
    [-1, 'microseconds'],
    [2, 'days'],
    ['1970-01-02', 'milliseconds'],
    [null, 'milliseconds'],
  ] as const;
  for (const [index, [value, unit]] of times.entries()) {
    assert.equal(sink.putTime(0, value, unit), null);
    sink.commit(index);
  }
  assert.deepEqual([...sink.columns().times[0]!], [1500, 1500, -1, 2 * day, day, NaN]);
  assert.equal(sink.putTime(0, 9e15, 'milliseconds'), 'field.type');
  assert.equal(sink.putTime(0, 'soon', 'milliseconds'), 'field.type');
  assert.equal(sink.putTime(0, true, 'milliseconds'), 'field.type');
  assert.equal(sink.putTime(0, Infinity, 'milliseconds'), 'field.notFinite');
});

test('a dead letter quotes a value shortly', () => {
  assert.equal(quoted('a"b'), '"a\\"b"');
  assert.equal(quoted('x'.repeat(1e6)).length, 102);
  assert.equal(quoted(NaN), 'NaN');
  assert.equal(quoted({ big: 2n ** 60n }), 'no single value');
});
