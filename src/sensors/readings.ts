/** One value of a reading; times are Unix milliseconds. */
export type ReadingValue = number | boolean | string | null;

/** A field of an Avro record schema. */
export interface AvroField {
  readonly name: string;
  readonly type: unknown;
  readonly default?: null;
}

/** An Avro record schema, as it goes to a file or a registry. */
export interface AvroRecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly fields: readonly AvroField[];
}

/** What sensors say, as a sequence of records of which each depends on its number alone. */
export interface Readings {
  /** How many there are; Infinity for a simulation. */
  readonly count: number;
  readonly schema: AvroRecordSchema;
  /** Field whose text is the record's key, null where records have none. */
  readonly keyField: string | null;
  /** Field with the event time, null where there is none. */
  readonly timeField: string | null;
  /** Field that one would want to predict, null where no field is numeric. */
  readonly targetField: string | null;
  /** Key of record `n`, null where it has none; cheap, since a restart asks for all keys before it. */
  key(n: number): string | null;
  /** Fields of record `n` by name. */
  value(n: number): Readonly<Record<string, ReadingValue>>;
}

/** Makes text a name that Avro accepts: letters, digits and `_`, dots kept as they separate a namespace. */
export function avroName(text: string): string {
  return text
    .split('.')
    .map((part) => part.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d|$)/, '_'))
    .join('.');
}
