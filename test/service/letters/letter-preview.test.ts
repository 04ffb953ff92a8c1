import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { LetterPreview } from '../../../src/service/letters/letter-preview.ts';
import { maskedJson } from '../../../src/service/letters/masked.ts';
import { avroCodec } from '../../../src/codecs/avro-codec.ts';
import { avroEncoder } from '../../../src/codecs/avro-encoder.ts';
import { csvCodec } from '../../../src/codecs/csv-codec.ts';
import { jsonCodec } from '../../../src/codecs/json-codec.ts';
import type { RowCodec } from '../../../src/codecs/row-codec.ts';
import type { FeaturePlan } from '../../../src/operators/feature-plan.ts';
import type { RecordBlock } from '../../../src/records.ts';
import { recordBlock } from '../../support/blocks.ts';

const fields = { numbers: ['temp', 'heart'], texts: [], times: [] };
const limits = { valueBytes: 1000, arrayItems: 100 };
const schema = JSON.stringify({
  type: 'record',
  name: 'Reading',
  fields: [
    { name: 'temp', type: 'double' },
    { name: 'heart', type: ['null', 'double', 'string'] },
    { name: 'raw', type: 'bytes' },
  ],
});
const schemas = { schema: () => Promise.resolve(schema) };
const plan: FeaturePlan = {
  features: [
    { name: 'temp', field: 'temp', kind: 'plain' },
    { name: 'heartBefore', field: 'heart', kind: 'lag', rows: 1 },
  ],
  ...{ key: 'patient', time: null, maxKeys: 10 },
  target: { field: 'heart', kind: 'number', hasHorizon: true, as: 'value', classes: null, maxClasses: 1 },
};

/** How the records of a block are shown that were decoded, with their details. */
async function shown(codec: RowCodec, values: readonly (string | Buffer | null)[], sensitive: readonly string[]) {
  const block: RecordBlock = recordBlock(values);
  await codec.prepare(block, new AbortController().signal);
  const preview = new LetterPreview(new Set(sensitive));
  preview.use(codec, plan);
  const texts: unknown[] = values.map(() => null);
  codec.decode(block, (index, _reason, detail) => {
    texts[index] = preview.record(block, index, detail);
  });
  return texts;
}

suite('how dead letters are shown', () => {
  test('JSON: decoded, without what is sensitive, in the record and in what was wrong with it', async () => {
    const value = '{"temp":1,"heart":"fast","patient":{"name":"x"}}';
    const codec = jsonCodec({ plan: fields, limits });
    assert.deepEqual(await shown(codec, [value], []), [{ preview: value, detail: 'heart: "fast"' }]);
    assert.deepEqual(await shown(codec, [value], ['heart', 'patient.name']), [
      { preview: '{"temp":1,"heart":"•••","patient":{"name":"•••"}}', detail: 'heart: •••' },
    ]);
  });

  test('what cannot be decoded is not shown where anything is sensitive', async () => {
    const codec = jsonCodec({ plan: fields, limits });
    const value = '{"heart": 61, oops';
    const [plainly] = (await shown(codec, [value], [])) as { preview: string }[];
    assert.equal(plainly?.preview, value);
    assert.deepEqual(await shown(codec, [value, null, 'x'.repeat(2000)], ['heart']), [
      { preview: '18 bytes, withheld: not decodable, and some fields are sensitive', detail: '' },
      { preview: 'null', detail: 'the value is null (a tombstone)' },
      { preview: '2000 bytes, withheld: not decodable, and some fields are sensitive', detail: '' },
    ]);
  });

  test('Avro: numbers that JSON lacks, bytes and branches of unions are told', async () => {
    const encode = avroEncoder(schema, 1);
    const codec = avroCodec({ plan: fields, schemas, limits });
    const record = encode({ temp: Number.NaN, heart: 61, raw: Buffer.from([1, 2, 3]) });
    const [open] = (await shown(codec, [record], [])) as { preview: string; detail: string }[];
    assert.match(open!.preview, /"temp":"NaN","heart":.*61.*"raw":"<3 bytes>"/);
    const [hidden] = (await shown(codec, [record, record.subarray(0, 9)], ['heart'])) as { preview: string }[];
    assert.equal(hidden!.preview, '{"temp":"NaN","heart":"•••","raw":"<3 bytes>"}');
  });

  test('CSV: cells by column', async () => {
    const codec = csvCodec({ plan: fields, limits, columns: ['temp', 'heart'] });
    assert.deepEqual(await shown(codec, ['warm,61'], ['heart']), [
      { preview: '{"temp":"warm","heart":"•••"}', detail: 'temp: "warm"' },
    ]);
  });

  test('a row that the trainer refused has its columns by name; those of a sensitive field are hidden', () => {
    const preview = new LetterPreview(new Set(['heart']));
    preview.use({ recordAt: () => null }, plan);
    const row = { originId: 0, offset: 1, keyId: 2, timeMs: 0, timestampMs: 0, target: 61, features: [0.5, 2.5] };
    assert.equal(
      preview.row(row, 'p1').preview,
      '{"time":"1970-01-01T00:00:00.000Z","key":"p1","target":"•••","normalized":{"temp":0.5,"heartBefore":"•••"}}',
    );
  });

  test('a path fits through the branch of a union and through arrays, and too much is hidden rather than too little', () => {
    const record = { a: { 'com.Branch': { b: 1, c: 2 } }, list: [{ a: { b: 3 } }], b: 4 };
    assert.equal(
      maskedJson(record, new Set(['a.b'])),
      '{"a":{"com.Branch":{"b":"•••","c":2}},"list":[{"a":{"b":"•••"}}],"b":4}',
    );
  });
});
