import { ConfigError } from '../errors.ts';
import { avroName, type AvroField, type ReadingValue, type Readings } from './readings.ts';

/** Rows that were written down, by column; times are Unix milliseconds, null is missing. */
export interface ReadingTable {
  readonly columns: readonly {
    readonly name: string;
    readonly type: 'number' | 'boolean' | 'time' | 'text';
  }[];
  readonly rows: readonly (readonly ReadingValue[])[];
}

export interface ReplayOptions {
  /** Names the schema. */
  readonly topic: string;
  /** Column whose text is the key; by default there is none. */
  readonly keyField?: string | undefined;
  /** Column with the event time; by default the first one that holds times. */
  readonly timeField?: string | undefined;
}

const avroTypes = {
  number: 'double',
  boolean: 'boolean',
  time: { type: 'long', logicalType: 'timestamp-millis' },
  text: 'string',
};

/**
 * The rows of a table in the order of their event time; rows of one time keep their order, one without a time stays
 * behind the row before it. Every field of the schema may be null. The target is a guess: the last numeric column.
 * @throws ConfigError `config.invalid` where a named column does not exist, or the time column holds no times.
 */
export function replay(table: ReadingTable, options: ReplayOptions): Readings {
  const names = fieldNames(table.columns.map((column) => column.name));
  const keyIndex = columnIndex(table, '--key', options.keyField);
  const timeIndex =
    columnIndex(table, '--time', options.timeField) ?? indexOf(table.columns.findIndex(({ type }) => type === 'time'));
  const rows = timeIndex === null ? table.rows : inTimeOrder(table.rows, checkedTime(table, timeIndex));
  const target = table.columns.findLastIndex(
    ({ type }, index) => type === 'number' && index !== keyIndex && index !== timeIndex,
  );
  const nameAt = (index: number | null): string | null => (index === null ? null : (names[index] ?? null));
  return {
    count: rows.length,
    schema: {
      type: 'record',
      name: avroName(options.topic),
      fields: table.columns.map(({ type }, index): AvroField => ({
        name: names[index] ?? '',
        type: ['null', avroTypes[type]],
        default: null,
      })),
    },
    keyField: nameAt(keyIndex),
    timeField: nameAt(timeIndex),
    targetField: nameAt(indexOf(target)),
    key: (n) => {
      const value = keyIndex === null ? null : (rows[n]?.[keyIndex] ?? null);
      return value === null ? null : String(value);
    },
    value: (n) => Object.fromEntries(names.map((name, index) => [name, rows[n]?.[index] ?? null])),
  };
}

function indexOf(found: number): number | null {
  return found === -1 ? null : found;
}

function columnIndex(table: ReadingTable, option: string, name: string | undefined): number | null {
  if (name === undefined) return null;
  const index = table.columns.findIndex((column) => column.name === name || avroName(column.name) === name);
  if (index === -1) {
    const columns = table.columns.map((column) => column.name).join(', ');
    throw new ConfigError('config.invalid', `${option}: there is no column ${name}; there are ${columns}`, {
      context: { key: option, value: name },
    });
  }
  return index;
}

function checkedTime(table: ReadingTable, index: number): number {
  const { name, type } = table.columns[index] ?? { name: '', type: 'text' };
  if (type !== 'time' && type !== 'number') {
    throw new ConfigError(
      'config.invalid',
      `--time: column ${name} holds ${type}; expected ISO 8601 times or Unix milliseconds`,
      { context: { key: '--time', value: name } },
    );
  }
  return index;
}

function inTimeOrder(rows: ReadingTable['rows'], timeIndex: number): ReadingTable['rows'] {
  let last = -Infinity;
  const timed = rows.map((row) => {
    const time = row[timeIndex];
    if (typeof time === 'number') last = time;
    return { row, time: last };
  });
  return timed.sort((a, b) => (a.time === b.time ? 0 : a.time - b.time)).map(({ row }) => row);
}

/** Names of columns as Avro accepts them; one that comes twice that way gets a number. */
function fieldNames(columns: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    const name = avroName(column).replaceAll('.', '_');
    let free = name;
    for (let number = 2; taken.has(free); number++) free = `${name}_${number}`;
    taken.add(free);
    return free;
  });
}
