import type { FieldPlan } from '../../src/records.ts';
import { double, float, long, text } from './avro-bytes.ts';

/** A seeded source of choices (mulberry32). */
export class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number below `count`. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) * (count / 2 ** 32));
  }

  isOneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

/** An Avro schema in JSON, complete in itself: no names are referred to but the one of the root. */
export type Schema = string | readonly Schema[] | { readonly type: string; readonly [key: string]: unknown };

type Named = Extract<Schema, { readonly type: string }>;

interface Field {
  readonly name: string;
  readonly type: Schema;
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];
const logicals: readonly Named[] = [
  { type: 'long', logicalType: 'timestamp-millis' },
  { type: 'long', logicalType: 'timestamp-micros' },
  { type: 'long', logicalType: 'local-timestamp-micros' },
  { type: 'int', logicalType: 'date' },
  { type: 'double', logicalType: 'timestamp-millis' },
  { type: 'string', logicalType: 'date' },
  { type: 'long', logicalType: 'timestamp-nanos' },
];

/** A record schema of up to eight fields of any type, with the fields that are wanted of it. */
export class GeneratedSchema {
  readonly schema: Schema;
  readonly plan: FieldPlan;
  readonly #choices: Choices;
  #names = 0;

  constructor(choices: Choices) {
    this.#choices = choices;
    this.schema = this.#record(0, true);
    this.plan = this.#wanted();
  }

  #record(depth: number, isRoot = false): Named {
    const name = isRoot ? 'Root' : this.#name();
    const fields = Array.from({ length: 1 + this.#choices.below(8) }, (_, index) => ({
      // Names are shared between records, so that a union can hold two that have the same field.
      name: `f${index}`,
      type: this.#type(depth + 1),
    }));
    return { type: 'record', name, fields };
  }

  #name(): string {
    this.#names += 1;
    return `N${this.#names}`;
  }

  #type(depth: number): Schema {
    const choices = this.#choices;
    if (depth > 4 || choices.below(10) < 4) return choices.isOneIn(4) ? choices.of(logicals) : choices.of(primitives);
    switch (choices.below(9)) {
      case 0:
        return { type: 'array', items: this.#type(depth + 1) };
      case 1:
        return { type: 'map', values: this.#type(depth + 1) };
      case 2:
        return this.#record(depth);
      case 3:
        return { type: 'enum', name: this.#name(), symbols: ['A', 'NaN', 'inf', 'D'].slice(0, 1 + choices.below(4)) };
      case 4:
        return { type: 'fixed', name: this.#name(), size: choices.below(12) };
      case 5:
        return ['null', 'Root'];
      case 6:
        return this.#union(depth);
      default:
        return choices.isOneIn(2) ? ['null', this.#branch(depth)] : [this.#branch(depth), 'null'];
    }
  }

  #union(depth: number): Schema {
    const branches: Schema[] = [];
    const kinds = new Set<string>();
    for (let left = 1 + this.#choices.below(5); left > 0; left -= 1) {
      const branch = this.#choices.isOneIn(4) ? 'null' : this.#branch(depth);
      // A union holds one branch of each type, but any number of records, enums and fixed by name.
      const kind = typeof branch === 'string' ? branch : 'name' in branch ? String(branch['name']) : branch.type;
      if (!kinds.has(kind)) branches.push(branch);
      kinds.add(kind);
    }
    return branches;
  }

  #branch(depth: number): string | Named {
    for (;;) {
      const type = this.#type(depth + 1);
      if (type !== 'null' && !Array.isArray(type)) return type as string | Named;
    }
  }

  /** Mostly fields that can be read as what they are wanted as. */
  #wanted(): FieldPlan {
    const paths = this.#paths(this.schema, '', 0);
    const some = (most: number, kinds: readonly string[]): string[] => {
      const isStrict = !this.#choices.isOneIn(10);
      const fitting = paths.filter(({ kind }) => !isStrict || kinds.includes(kind)).map(({ path }) => path);
      return fitting.length === 0
        ? []
        : Array.from({ length: this.#choices.below(most) }, () => this.#choices.of(fitting));
    };
    return {
      numbers: some(5, ['boolean', 'int', 'long', 'float', 'double', 'date', 'timestamp-micros']),
      texts: some(3, ['string', 'boolean', 'int', 'long', 'double', 'enum']),
      times: some(3, ['int', 'timestamp-millis', 'timestamp-micros', 'local-timestamp-micros', 'date']),
    };
  }

  #paths(type: Schema, prefix: string, depth: number): { readonly path: string; readonly kind: string }[] {
    const leaf = (kind: string): { path: string; kind: string }[] => [{ path: prefix.slice(0, -1), kind }];
    if (type === 'Root') return depth < 4 ? this.#paths(this.schema, prefix, depth) : [];
    if (type === 'null') return [];
    if (typeof type === 'string') return prefix === '' ? [] : leaf(type);
    if (Array.isArray(type)) return (type as readonly Schema[]).flatMap((branch) => this.#paths(branch, prefix, depth));
    const { type: kind, logicalType, fields } = type as Named;
    if (kind === 'map' && this.#choices.isOneIn(4)) return [{ path: `${prefix}k0`, kind: 'int' }];
    if (kind !== 'record') return leaf(typeof logicalType === 'string' ? logicalType : kind);
    const below = (fields as readonly Field[]).flatMap((field) =>
      this.#paths(field.type, `${prefix}${field.name}.`, depth + 1),
    );
    return prefix !== '' && this.#choices.isOneIn(8) ? [...leaf(kind), ...below] : below;
  }
}

const numbers = [0, -0, 1, -1.5, 39.02, 1e30, 1e150, 1.0000001e150, 5e-324, 1.7e12, 8.64e15, 8.65e15, -3e20];
const badNumbers = [NaN, Infinity, -Infinity, 1e308];
const longs = [0n, 1n, -1n, 63n, 64n, -64n, -65n, 8191n, 8192n, 2n ** 20n, 2n ** 27n, -(2n ** 27n), 2n ** 31n - 1n];
const wideLongs = [2n ** 31n, 1_700_000_000_000n, -(2n ** 31n) - 1n, 2n ** 48n, -(2n ** 48n), 2n ** 52n, -(2n ** 52n)];
const hugeLongs = [2n ** 53n - 1n, 2n ** 53n, 1n - 2n ** 53n, -(2n ** 53n), 2n ** 55n, 2n ** 62n, -(2n ** 63n)];
const texts = [
  '',
  'a',
  'EWR',
  'sensor-0042',
  'zwölf',
  '日本',
  '2024-01-02T03:04:05Z',
  '1970-01-02',
  'NaN',
  '7',
  '\u{feff}x',
];

/** Datums of a schema as bytes, nearly always sound. */
export class GeneratedDatum {
  readonly #choices: Choices;
  readonly #root: Schema;

  constructor(root: Schema, choices: Choices) {
    this.#root = root;
    this.#choices = choices;
  }

  bytes(): Buffer {
    return this.#value(this.#root, 0);
  }

  #value(type: Schema, depth: number): Buffer {
    if (Array.isArray(type)) return this.#union(type as readonly Schema[], depth);
    const kind = typeof type === 'string' ? type : (type as Named).type;
    const choices = this.#choices;
    switch (kind) {
      case 'null':
        return Buffer.alloc(0);
      case 'boolean':
        return Buffer.from([choices.isOneIn(100) ? 2 : choices.below(2)]);
      case 'int':
        return this.#long(choices.isOneIn(100) ? choices.of(wideLongs) : choices.of(longs));
      case 'long':
        return this.#long(choices.of(choices.isOneIn(30) ? hugeLongs : choices.isOneIn(2) ? wideLongs : longs));
      case 'float':
        return float(choices.of(choices.isOneIn(50) ? badNumbers : numbers.slice(0, 6)));
      case 'double':
        return double(choices.of(choices.isOneIn(50) ? badNumbers : numbers));
      case 'bytes':
        return Buffer.concat([this.#long(3n), Buffer.from([1, 0xff, 3])]);
      case 'string':
        return this.#text();
      case 'Root':
        return this.#value(this.#root, depth + 1);
      default:
        return this.#complex(type as Named, depth);
    }
  }

  #complex(type: Named, depth: number): Buffer {
    switch (type.type) {
      case 'record':
        return Buffer.concat((type['fields'] as readonly Field[]).map((field) => this.#value(field.type, depth + 1)));
      case 'enum': {
        const { length } = type['symbols'] as readonly string[];
        return this.#long(BigInt(this.#choices.isOneIn(100) ? length : this.#choices.below(length)));
      }
      case 'fixed':
        return Buffer.alloc(type['size'] as number, 7);
      case 'array':
        return this.#items(() => this.#value(type['items'] as Schema, depth + 1), depth);
      case 'map':
        return this.#items(() => {
          const key = text(`k${this.#choices.below(3)}`);
          return Buffer.concat([key, this.#value(type['values'] as Schema, depth + 1)]);
        }, depth);
      default:
        throw new Error(`no such type: ${type.type}`);
    }
  }

  #union(branches: readonly Schema[], depth: number): Buffer {
    // Far down the way out is taken, so that a schema that contains itself comes to an end.
    const out = depth > 3 ? branches.indexOf('null') : -1;
    const index = out >= 0 ? out : this.#choices.below(branches.length);
    return Buffer.concat([this.#long(BigInt(index)), this.#value(branches[index]!, depth)]);
  }

  #items(item: () => Buffer, depth: number): Buffer {
    const parts: Buffer[] = [];
    for (let blocks = depth > 3 ? 0 : this.#choices.below(3); blocks > 0; blocks -= 1) {
      const items = Array.from({ length: 1 + this.#choices.below(3) }, item);
      const bytes = Buffer.concat(items);
      // A negative count is followed by the size of the block.
      if (this.#choices.isOneIn(3)) parts.push(long(-items.length), long(bytes.length), bytes);
      else parts.push(this.#long(BigInt(items.length)), bytes);
    }
    return Buffer.concat([...parts, long(0)]);
  }

  #text(): Buffer {
    if (this.#choices.isOneIn(60)) return Buffer.concat([long(4), Buffer.from([0x61, 0xc3, 0x28, 0x62])]);
    return text(this.#choices.isOneIn(20) ? 'long '.repeat(this.#choices.below(30)) : this.#choices.of(texts));
  }

  /** Now and then with more bytes than it needs, as some writers do. */
  #long(value: bigint): Buffer {
    const bytes = long(value);
    if (!this.#choices.isOneIn(40) || bytes.length > 8) return bytes;
    return Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! | 0x80, 0])]);
  }
}

/** The same bytes with some damage, or as they are. */
export function mutated(bytes: Buffer, choices: Choices): Buffer {
  const at = choices.below(bytes.length + 1);
  switch (choices.below(8)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes, Buffer.from([choices.below(256)])]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([choices.below(256)]), bytes.subarray(at)]);
    case 3: {
      const changed = Buffer.from(bytes);
      if (at < changed.length) changed[at] = choices.below(256);
      return changed;
    }
    case 4: {
      const changed = Buffer.from(bytes);
      if (at < changed.length) changed[at] = changed[at]! ^ (1 << choices.below(8));
      return changed;
    }
    default:
      return bytes;
  }
}
