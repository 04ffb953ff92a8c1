import avro from 'avsc';
import { DecodeError, messageOf } from '../errors.ts';
import type { TimeUnit } from './row-sink.ts';

/** Marks a type that counts time; values pass as they are. */
class TimeType extends avro.types.LogicalType {
  readonly unit: TimeUnit = 'milliseconds';

  protected override _fromValue(value: unknown): unknown {
    return value;
  }

  protected override _toValue(value: unknown): unknown {
    return value;
  }
}

class MicrosecondsType extends TimeType {
  override readonly unit = 'microseconds';
}

class DaysType extends TimeType {
  override readonly unit = 'days';
}

/**
 * A long beyond 2⁵³ decodes as a bigint instead of throwing: a nanosecond clock nobody asked for must not cost the
 * record. A wanted one is refused, since no field takes a bigint. avsc 5.7.9 works on the zig-zag form, twice as large,
 * in doubles: from 2⁵² on it rounds, and then a negative number comes out positive.
 */
class WideLongType extends avro.types.LongType {
  _read(tap: { readonly buf: Buffer; readonly pos: number; readLong(): number }): number | bigint {
    const start = tap.pos;
    const value = tap.readLong();
    return Math.abs(value) < 2 ** 52 ? value : exactLong(tap.buf, start);
  }
}

function exactLong(bytes: Buffer, at: number): number | bigint {
  let zigZag = 0n;
  for (let shift = 0n; ; shift += 7n, at += 1) {
    const byte = bytes[at]!;
    zigZag |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const value = (zigZag >> 1n) ^ -(zigZag & 1n);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const timeTypes = {
  'timestamp-millis': TimeType,
  'timestamp-micros': MicrosecondsType,
  'local-timestamp-millis': TimeType,
  'local-timestamp-micros': MicrosecondsType,
  date: DaysType,
};

function isLong(schema: unknown): boolean {
  return schema === 'long' || (isObject(schema) && 'type' in schema && schema.type === 'long');
}

function isTime(schema: unknown): boolean {
  return isObject(schema) && 'logicalType' in schema && Object.hasOwn(timeTypes, String(schema.logicalType));
}

function isObject(schema: unknown): schema is object {
  return typeof schema === 'object' && schema !== null;
}

/**
 * The type that a schema's JSON text describes.
 *
 * @throws DecodeError where the text is no Avro schema.
 */
export function parseAvroSchema(schemaText: string): avro.Type {
  const wideLong = new WideLongType();
  const times = new Set<unknown>();
  const typeHook = (schema: unknown): avro.Type | undefined => {
    if (!isLong(schema)) return undefined;
    // avsc asks twice about a schema with a logical type: for that, then for the type below it.
    if (!isTime(schema) || times.has(schema)) return wideLong;
    times.add(schema);
    return undefined;
  };
  try {
    return avro.Type.forSchema(JSON.parse(schemaText) as avro.Schema, {
      logicalTypes: timeTypes,
      typeHook,
      omitRecordMethods: true,
    });
  } catch (error) {
    throw new DecodeError('config.invalid', `this is no Avro schema: ${messageOf(error)}`, { cause: error });
  }
}

/** One step into a decoded datum. */
interface PathStep {
  readonly name: string;
  /** True where avsc wraps the value in an object whose only key names the branch of an ambiguous union. */
  readonly isWrapped: boolean;
}

/** The way from a decoded datum to a wanted field; compiled once per schema, then shared by all records. */
export interface AvroPath {
  readonly steps: readonly PathStep[];
  readonly isLeafWrapped: boolean;
  /** True where the field's type says that it counts time. */
  readonly isTime: boolean;
  readonly unit: TimeUnit;
}

/** Finds a dotted path in a type, through records, maps and unions; null where the type has no such field. */
export function avroPath(type: avro.Type, path: string): AvroPath | null {
  const steps: PathStep[] = [];
  let branches = branchesOf(type);
  for (const name of path.split('.')) {
    const next = branches.map((branch) => memberType(branch, name)).find((member) => member !== null);
    if (next === undefined) return null;
    steps.push({ name, isWrapped: isWrapped(type) });
    type = next;
    branches = branchesOf(type);
  }
  const timeType = branches.find((branch) => branch instanceof TimeType);
  return {
    steps,
    isLeafWrapped: isWrapped(type),
    isTime: timeType !== undefined,
    unit: timeType?.unit ?? 'milliseconds',
  };
}

/** The value at a path: null or undefined where it is missing, an array (never a usable value) where the way is barred. */
export function valueAtPath(datum: unknown, path: AvroPath): unknown {
  let value = datum;
  for (const { name, isWrapped: isStepWrapped } of path.steps) {
    if (isStepWrapped) value = unwrapped(value);
    if (value === null || value === undefined) return null;
    if (typeof value !== 'object' || Array.isArray(value) || Buffer.isBuffer(value)) return [];
    value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  }
  return path.isLeafWrapped ? unwrapped(value) : value;
}

/** What a field of a schema can be wanted as. */
export type AvroFieldKind = 'number' | 'text' | 'time' | 'other';

/** The fields of a record schema in order, nested records by dotted path: for `features: auto`. */
export function avroFields(schemaText: string): readonly { readonly path: string; readonly kind: AvroFieldKind }[] {
  return fieldsBelow(parseAvroSchema(schemaText), '', []);
}

function fieldsBelow(
  type: avro.Type,
  prefix: string,
  above: readonly avro.Type[],
): readonly { path: string; kind: AvroFieldKind }[] {
  const record = branchesOf(type).find((branch) => branch instanceof avro.types.RecordType);
  if (record === undefined) return prefix === '' ? [] : [{ path: prefix.slice(0, -1), kind: kindOf(type) }];
  // A schema that contains itself has no end of fields.
  if (above.includes(record)) return [];
  return record.fields.flatMap((field) => fieldsBelow(field.type, `${prefix}${field.name}.`, [...above, record]));
}

function kindOf(type: avro.Type): AvroFieldKind {
  const branches = branchesOf(type).filter((branch) => branch.typeName !== 'null');
  const every = (typeNames: readonly string[]): boolean =>
    branches.length > 0 && branches.every((branch) => typeNames.includes(branch.typeName));
  if (branches.some((branch) => branch instanceof TimeType)) return 'time';
  if (every(['int', 'long', 'float', 'double', 'boolean'])) return 'number';
  return every(['string', 'enum']) ? 'text' : 'other';
}

/** The branches of a union; any other type is its own only branch. */
export function branchesOf(type: avro.Type): readonly avro.Type[] {
  const isUnion = type instanceof avro.types.UnwrappedUnionType || type instanceof avro.types.WrappedUnionType;
  return isUnion ? type.types : [type];
}

/** The type of a record's field or of a map's values; null where there is none. */
export function memberType(type: avro.Type, name: string): avro.Type | null {
  if (type instanceof avro.types.MapType) return type.valuesType as avro.Type;
  if (!(type instanceof avro.types.RecordType)) return null;
  return type.fields.find((field) => field.name === name)?.type ?? null;
}

function isWrapped(type: avro.Type): boolean {
  return type instanceof avro.types.WrappedUnionType;
}

function unwrapped(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Object.values(value)[0] : value;
}
