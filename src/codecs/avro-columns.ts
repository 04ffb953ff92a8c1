import avro from 'avsc';
import {
  decline,
  readBoolean,
  readDouble,
  readFloat,
  readIndex,
  readInt,
  readLength,
  readSafeLong,
} from './avro-fragments.ts';
import { largestNumber, largestTimeMs, msPerDay, type TimeUnit } from './row-sink.ts';

/** What a field is wanted as, and the column that it goes to. */
export interface Want {
  readonly as: 'number' | 'text' | 'time';
  readonly column: number;
  readonly unit: TimeUnit;
}

/** Constants that generated code takes by index, so that no name of a schema is ever part of it. */
export interface Constants {
  readonly symbols: (readonly string[])[];
}

/** The code that puts a missing value into the columns. */
export function putMissing(wants: readonly Want[]): string {
  return wants.map((want) => put(want, want.as === 'text' ? 'null' : 'NaN')).join(' ');
}

/** The code that reads a value of a type without parts and puts it into its columns, as `RowSink` would. */
export function readInto(type: avro.Type, wants: readonly Want[], constants: Constants): string {
  if (type instanceof avro.types.EnumType) return readIndex + fromSymbol(type.symbols, wants, constants);
  switch (type.typeName) {
    case 'null':
      return putMissing(wants);
    case 'boolean':
      return readBoolean + fromBoolean(wants);
    case 'int':
      return readInt + fromWhole(wants);
    case 'long':
      // What no double holds is no number for a field.
      return readSafeLong + fromWhole(wants);
    case 'float':
      return readFloat + fromFraction(wants);
    case 'double':
      return readDouble + fromFraction(wants);
    case 'string':
      return readLength + fromText(wants);
    default:
      return decline;
  }
}

function fromBoolean(wants: readonly Want[]): string {
  return each(wants, {
    number: (want) => put(want, 'v ? 1 : 0'),
    text: (want) => put(want, "v ? 'true' : 'false'"),
    time: () => decline,
  });
}

function fromWhole(wants: readonly Want[]): string {
  return each(wants, { number: (want) => put(want, 'v'), text: (want) => put(want, 'String(v)'), time: putTime });
}

function fromFraction(wants: readonly Want[]): string {
  return each(wants, {
    number: (want) => `if (!(Math.abs(v) <= ${largestNumber})) ${decline} ${put(want, 'v')}`,
    text: (want) => `if (!Number.isFinite(v)) ${decline} ${put(want, 'String(v)')}`,
    time: putTime,
  });
}

function fromText(wants: readonly Want[]): string {
  const [firstText] = wants.filter((want) => want.as === 'text');
  // The text is decoded once, through the cache of the first column that it goes to.
  const cached = `const text = caches[${firstText?.column ?? 0}].text(bytes, view, at, length); if (text === null) ${decline}`;
  const pieces = each(wants, {
    number: () => decline,
    text: (want) => put(want, 'text'),
    time: (want) =>
      `const ms = isoTimeMs(bytes.toString('utf8', at, at + length)); if (!(Math.abs(ms) <= ${largestTimeMs})) ${decline} ${put(want, 'ms')}`,
  });
  return `${firstText === undefined ? '' : cached} ${pieces} at += length;`;
}

function fromSymbol(symbols: readonly string[], wants: readonly Want[], constants: Constants): string {
  const table = constants.symbols.push(symbols) - 1;
  const pieces = each(wants, {
    number: () => decline,
    text: (want) => put(want, `symbols[${table}][index]`),
    time: () => decline,
  });
  return `if (!(index >= 0 && index < ${symbols.length})) ${decline} ${pieces}`;
}

const inMilliseconds: Readonly<Record<TimeUnit, string>> = {
  milliseconds: 'Math.floor(v)',
  microseconds: 'Math.floor(v / 1000)',
  days: `v * ${msPerDay}`,
};

function putTime(want: Want): string {
  return `const ms = ${inMilliseconds[want.unit]}; if (!(Math.abs(ms) <= ${largestTimeMs})) ${decline} ${put(want, 'ms')}`;
}

function each(wants: readonly Want[], pieces: Readonly<Record<Want['as'], (want: Want) => string>>): string {
  return wants.map((want) => ` { ${pieces[want.as](want)} }`).join('');
}

function put(want: Want, value: string): string {
  switch (want.as) {
    case 'number':
      return `numbers[${want.column} * capacity + row] = ${value};`;
    case 'text':
      return `texts[${want.column}][row] = ${value};`;
    case 'time':
      return `times[${want.column} * capacity + row] = ${value};`;
  }
}
