import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvCodec } from '../../src/codecs/csv-codec.ts';
import { ConfigError } from '../../src/errors.ts';
import { recordBlock } from '../support/blocks.ts';
import { decodeBlock, decodeValues, reasonsOf } from './decode-values.ts';

const options = {
  plan: { numbers: ['temp', 'wet'], texts: ['site', 'temp'], times: ['at'] },
  columns: ['site', 'temp', 'wet', 'unused', 'at'],
  limits: { valueBytes: 200 },
};
const codec = csvCodec(options);

test('a line becomes numbers, texts and times by the declared columns', async () => {
  const { columns, rejected } = await decodeValues(codec, [
    'EWR,39.02,true,x,2013-01-01T06:00:00Z',
    '"a,""b""",-1e3,0,,1356998400000\n',
    ',NA,,NA,',
  ]);
  assert.deepEqual(rejected, []);
  assert.deepEqual([...columns.numbers[0]!], [39.02, -1000, NaN]);
  assert.deepEqual([...columns.numbers[1]!], [1, 0, NaN]);
  assert.deepEqual(columns.texts[0], ['EWR', 'a,"b"', null]);
  assert.deepEqual(columns.texts[1], ['39.02', '-1e3', null]);
  assert.deepEqual([...columns.times[0]!], [Date.UTC(2013, 0, 1, 6), 1356998400000, NaN]);
});

test('cells that the source has parsed already are used as they are', async () => {
  const cells = [
    ['EWR', '1', '0', 'NaN', 'NA'],
    ['too', 'few'],
  ];
  const { columns, rejected } = await decodeBlock(codec, recordBlock(['not,looked,at', 'x'], { cells }));
  assert.deepEqual([...columns.numbers[0]!], [1]);
  assert.deepEqual(
    rejected.map(({ index, reason }) => [index, reason]),
    [[1, 'csv.invalid']],
  );
});

test('each kind of bad line has its reason and spoils no other', async () => {
  const good = 'EWR,1,0,x,NA';
  const reasons = await reasonsOf(codec, [
    null,
    '',
    good,
    'EWR,1,0,x',
    'EWR,1,0,x,NA,more',
    'EWR,1,0,x,NA\nEWR,1,0,x,NA',
    'EWR,"1,0,x,NA',
    'EWR,one,0,x,NA',
    'EWR,0x1F,0,x,NA',
    'EWR,NaN,0,x,NA',
    'EWR,1,-Infinity,x,NA',
    'EWR,1e400,0,x,NA',
    'EWR,1,0,x,tomorrow',
    Buffer.from([0x45, 0xff, 0x2c]),
    `EWR,1,0,${'x'.repeat(300)},NA`,
    'EWR,1,0,NaN,NA',
  ]);
  assert.deepEqual(reasons, [
    'value.null',
    'value.empty',
    null,
    'csv.invalid',
    'csv.invalid',
    'csv.invalid',
    'csv.invalid',
    'field.type',
    'field.type',
    'field.notFinite',
    'field.notFinite',
    'field.notFinite',
    'field.type',
    'csv.invalid',
    'value.tooLarge',
    null,
  ]);
});

test('a dead letter says which field and what it held', async () => {
  const { rejected } = await decodeValues(codec, ['EWR,one,0,x,NA']);
  assert.equal(rejected[0]?.detail, 'temp: "one"');
});

test('a wanted field that is no column is refused at the start', () => {
  assert.throws(() => csvCodec({ ...options, columns: ['site', 'temp', 'at'] }), ConfigError);
});

test('there is nothing to load', () => {
  assert.equal(codec.prepare(recordBlock(['x']), new AbortController().signal), null);
});

test('what surrounds a value in its block changes nothing about it', async () => {
  const values = [
    'EWR,1,0,x,NA',
    '"JFK",2,0,x,NA',
    'LGA,3,0',
    'EWR,"4,0,x,NA',
    '\ufeffEWR,5,0,x,NA',
    'EWR,6,0,x,NA\r\n',
    'a\nb',
    ' ',
    'EWR,7,1,,NA',
  ];
  const together = await decodeValues(codec, values);
  const alone = await Promise.all(values.map((value) => decodeValues(codec, [value])));
  assert.deepEqual(
    [...together.columns.numbers[0]!],
    alone.flatMap(({ columns }) => [...columns.numbers[0]!]),
  );
  assert.deepEqual(
    together.rejected.map(({ reason, detail }) => [reason, detail]),
    alone.flatMap(({ rejected }) => rejected.map(({ reason, detail }) => [reason, detail])),
  );
});
