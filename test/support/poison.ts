import { avroEncoder } from '../../src/codecs/avro-encoder.ts';
import type { RejectReason } from '../../src/records.ts';
import { CounterRandom } from '../../src/sensors/counter-random.ts';
import { double, framed, long, text } from '../codecs/avro-bytes.ts';

/** A record to write, and why it cannot be used: null where it can. */
export interface TestRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly reason: RejectReason | null;
}

/** The largest value that the pipelines of these tests take (limits.valueBytes by default). */
const maxValueBytes = 65_536;

/** Everything in a reading that hostile bytes can attack. */
export const poisonedSchema = {
  type: 'record',
  name: 'Reading',
  fields: [
    { name: 'sensorId', type: ['null', 'string'] },
    { name: 'measuredAt', type: ['null', { type: 'long', logicalType: 'timestamp-millis' }] },
    { name: 'site', type: { type: 'enum', name: 'Site', symbols: ['coast', 'hill', 'plain'] } },
    { name: 'temperature', type: ['null', 'double'] },
    { name: 'load', type: 'double' },
    { name: 'count', type: 'int' },
    { name: 'online', type: 'boolean' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'extras', type: { type: 'map', values: 'double' } },
    {
      name: 'origin',
      type: ['null', { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] }],
    },
    { name: 'power', type: 'double' },
  ],
} as const;

const schemaId = 1;
const encode = avroEncoder(JSON.stringify(poisonedSchema), schemaId);
const startMs = Date.UTC(2025, 0, 1);
const periodMs = 10_000;
const sensors = 10;

/** Good readings of ten sensors, with names and nothing but names that would hurt whoever trusts them. */
export function goodRecords(count: number): TestRecord[] {
  const random = new CounterRandom(11);
  return Array.from({ length: count }, (_, n) => {
    const sensorId = n % sensors === 0 ? 'sensor "0"\n{}' : `sensor-${n % sensors}`;
    const load = random.uniform(0, n);
    const temperature = n % 50 === 7 ? null : 20 + 5 * random.normal(1, n);
    const value = encode({
      sensorId,
      measuredAt: startMs + Math.floor(n / sensors) * periodMs,
      site: poisonedSchema.fields[2].type.symbols[n % 3],
      temperature,
      load,
      count: n,
      online: n % 2 === 0,
      tags: ['a', 'constructor'],
      extras: JSON.parse('{"__proto__": 1, "toString": 2}') as object,
      origin: { next: { next: null } },
      power: 100 + 900 * load,
    });
    return { key: Buffer.from(sensorId), value, reason: null };
  });
}

/** The fields of one reading as bytes, in order, so that any of them can be replaced. */
const sound = {
  sensorId: Buffer.concat([long(1), text('sensor-1')]),
  measuredAt: Buffer.concat([long(1), long(startMs)]),
  site: long(1),
  temperature: Buffer.concat([long(1), double(20)]),
  load: double(0.5),
  count: long(3),
  online: Buffer.from([1]),
  tags: Buffer.concat([long(1), text('a'), long(0)]),
  extras: Buffer.concat([long(1), text('a'), double(1), long(0)]),
  origin: long(0),
  power: double(500),
};

function reading(replaced: Partial<Record<keyof typeof sound, Buffer>> = {}, id = schemaId): Buffer {
  return framed(id, ...Object.values({ ...sound, ...replaced }));
}

/** One record for each way to be bad, and one reading cut at each of its bytes. */
export function badRecords(): TestRecord[] {
  const whole = reading();
  const cut = Array.from({ length: whole.length }, (_, length): [RejectReason, Buffer] => {
    const reason = length === 0 ? 'value.empty' : length < 5 ? 'frame.short' : 'avro.truncated';
    return [reason, whole.subarray(0, length)];
  });
  const kinds: readonly (readonly [RejectReason, Buffer | null])[] = [...cut, ...framesAndValues(), ...hostileBytes()];
  return kinds.map(([reason, value], n) => ({ key: n % 4 === 0 ? null : Buffer.from(`bad-${n}`), value, reason }));
}

function framesAndValues(): [RejectReason, Buffer | null][] {
  return [
    ['value.null', null],
    ['value.tooLarge', reading({ sensorId: Buffer.concat([long(1), text('s'.repeat(maxValueBytes))]) })],
    ['frame.magic', Buffer.concat([Buffer.from([1]), reading().subarray(1)])],
    ['frame.magic', Buffer.from('{"sensorId":"sensor-1","load":0.5,"power":500}')],
    ['frame.magic', Buffer.from('no reading at all')],
    ['frame.magic', Buffer.from([0x0a, 0x08, 0x73, 0x65, 0x6e, 0x73, 0x6f, 0x72, 0x2d, 0x31])],
    ...[0, 7, -1, 2 ** 31 - 1].map((id): [RejectReason, Buffer] => ['schema.unknown', reading({}, id)]),
    ['avro.trailing', Buffer.concat([reading(), Buffer.from([0])])],
    ['field.notFinite', reading({ load: double(NaN) })],
    ['field.notFinite', reading({ power: double(Infinity) })],
    ['field.notFinite', reading({ temperature: Buffer.concat([long(1), double(-Infinity)]) })],
    ['key.missing', reading({ sensorId: long(0) })],
    ['time.missing', reading({ measuredAt: long(0) })],
  ];
}

function hostileBytes(): [RejectReason, Buffer][] {
  const itemsOf = (count: number): Buffer => Buffer.concat([long(count), text('a')]);
  return [
    ['avro.invalid', reading({ temperature: long(9) })],
    ['avro.invalid', reading({ temperature: long(-1) })],
    ['avro.invalid', reading({ site: long(9) })],
    ['avro.invalid', reading({ online: Buffer.from([2]) })],
    ['avro.invalid', reading({ count: long(2 ** 40) })],
    ['avro.invalid', reading({ sensorId: Buffer.concat([long(1), long(-1)]) })],
    ['avro.invalid', reading({ sensorId: Buffer.concat([long(1), long(2), Buffer.from([0xc3, 0x28])]) })],
    ['avro.invalid', reading({ measuredAt: Buffer.concat([long(1), Buffer.alloc(10, 0xff), Buffer.from([1])]) })],
    // A block that says its size, and lies.
    ['avro.invalid', reading({ tags: Buffer.concat([long(-1), long(7), text('a'), long(0)]) })],
    ['avro.truncated', reading({ sensorId: Buffer.concat([long(1), long(2 ** 31)]) })],
    ['avro.truncated', reading({ sensorId: Buffer.concat([long(1), long(2 ** 40)]) })],
    ['avro.tooMany', reading({ tags: itemsOf(5e7) })],
    ['avro.tooMany', reading({ tags: itemsOf(4e8) })],
    ['avro.tooMany', reading({ extras: itemsOf(1e8) })],
    ['avro.tooDeep', reading({ origin: Buffer.alloc(10_000, 2) })],
  ];
}

/** Bad records spread evenly among good ones. */
export function mixed(good: readonly TestRecord[], bad: readonly TestRecord[]): TestRecord[] {
  const apart = Math.floor(good.length / bad.length);
  return good.flatMap((record, n) => {
    const next = n % apart === apart - 1 ? bad[Math.floor(n / apart)] : undefined;
    return next === undefined ? [record] : [record, next];
  });
}
