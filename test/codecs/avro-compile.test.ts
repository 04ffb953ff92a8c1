import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileAvro } from '../../src/codecs/avro-compile.ts';
import { parseAvroSchema } from '../../src/codecs/avro-schema.ts';

test('no name and no symbol of a schema is ever part of the code', () => {
  const schema = {
    type: 'record',
    name: 'Zebra',
    namespace: 'zebra.space',
    fields: [
      { name: 'zebraNumber', type: ['null', 'double'], default: null },
      { name: 'zebraKind', type: { type: 'enum', name: 'ZebraKind', symbols: ['ZebraOne', 'ZebraTwo'] } },
      {
        name: 'zebraPart',
        type: { type: 'record', name: 'ZebraPart', fields: [{ name: 'zebraTime', type: 'string' }] },
      },
      { name: 'zebraList', type: { type: 'array', items: { type: 'fixed', name: 'ZebraFixed', size: 3 } } },
    ],
  };
  const plan = { numbers: ['zebraNumber'], texts: ['zebraKind'], times: ['zebraPart.zebraTime'] };
  const code = compileAvro(parseAvroSchema(JSON.stringify(schema)), plan, 32);
  assert.ok(code !== null);
  assert.doesNotMatch(code.bodies.join(''), /zebra/i);
  assert.deepEqual(code.symbols, [['ZebraOne', 'ZebraTwo']]);
});
