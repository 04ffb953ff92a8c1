import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ConfigError } from '../../src/errors.ts';
import { replay, type ReadingTable } from '../../src/sensors/replay.ts';

const table: ReadingTable = {
  columns: [
    { name: 'station', type: 'text' },
    { name: 'temp °F', type: 'number' },
    { name: 'is up', type: 'boolean' },
    { name: 'at', type: 'time' },
  ],
  rows: [
    ['EWR', 3, true, 3000],
    ['JFK', 1, null, 1000],
    ['LGA', 4, false, null],
    ['EWR', 2, true, 1000],
    [null, null, null, 2000],
  ],
};

const stations = (readings: ReturnType<typeof replay>): unknown[] =>
  Array.from({ length: readings.count }, (_, n) => readings.value(n)['station']);

suite('replay', () => {
  test('goes by event time, keeps the order within one time, and a row without a time behind the one before it', () => {
    // The third row has no time and stands behind a row of time 1000, the fourth has that time too.
    assert.deepEqual(stations(replay(table, { topic: 't' })), ['JFK', 'LGA', 'EWR', null, 'EWR']);
  });

  test('keeps the order of the file where there is no time', () => {
    const timeless = { columns: table.columns.slice(0, 2), rows: table.rows.map((row) => row.slice(0, 2)) };
    const readings = replay(timeless, { topic: 't' });
    assert.deepEqual(stations(readings), ['EWR', 'JFK', 'LGA', 'EWR', null]);
    assert.equal(readings.timeField, null);
  });

  test('describes the columns as nullable Avro fields under names that Avro accepts', () => {
    const { schema } = replay(table, { topic: 'new-york.2013' });
    assert.deepEqual(schema, {
      type: 'record',
      name: 'new_york._2013',
      fields: [
        { name: 'station', type: ['null', 'string'], default: null },
        { name: 'temp__F', type: ['null', 'double'], default: null },
        { name: 'is_up', type: ['null', 'boolean'], default: null },
        { name: 'at', type: ['null', { type: 'long', logicalType: 'timestamp-millis' }], default: null },
      ],
    });
  });

  test('numbers columns whose names fall together', () => {
    const columns = ['a b', 'a-b', 'a.b'].map((name) => ({ name, type: 'number' as const }));
    const readings = replay({ columns, rows: [[1, 2, 3]] }, { topic: 't' });
    assert.deepEqual(readings.value(0), { a_b: 1, a_b_2: 2, a_b_3: 3 });
  });

  test('has no keys unless a column is named, by its own name or the Avro one', () => {
    assert.equal(replay(table, { topic: 't' }).key(0), null);
    const byStation = replay(table, { topic: 't', keyField: 'station' });
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((n) => byStation.key(n)),
      ['JFK', 'LGA', 'EWR', null, 'EWR'],
    );
    const byNumber = replay(table, { topic: 't', keyField: 'temp__F' });
    assert.equal(byNumber.key(0), '1');
    assert.equal(byNumber.keyField, 'temp__F');
  });

  test('guesses the last numeric column as target, never the key or the time', () => {
    assert.equal(replay(table, { topic: 't' }).targetField, 'temp__F');
    assert.equal(replay(table, { topic: 't', keyField: 'temp °F' }).targetField, null);
    assert.equal(replay(table, { topic: 't', timeField: 'temp °F' }).targetField, null);
  });

  test('refuses columns that are not there, and a time column without times', () => {
    assert.throws(
      () => replay(table, { topic: 't', keyField: 'nowhere' }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /--key: there is no column nowhere; there are station, temp °F, is up, at/);
        return true;
      },
    );
    assert.throws(() => replay(table, { topic: 't', timeField: 'station' }), /--time: column station holds text/);
  });
});
