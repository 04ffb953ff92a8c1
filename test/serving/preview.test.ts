import assert from 'node:assert/strict';
import { test } from 'node:test';
import { previewOf } from '../../src/serving/preview.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('printable text is shown as it is, up to 240 characters', () => {
  assert.equal(previewOf(bytes('{"temp": 21.5}')), '{"temp": 21.5}');
  assert.equal(previewOf(bytes('é'.repeat(5000))), `${'é'.repeat(240)}…`);
  assert.equal(previewOf('features 0.1, 0.2'), 'features 0.1, 0.2');
});

test('anything else is hexadecimal, and nothing is named', () => {
  assert.equal(previewOf(Uint8Array.from([0, 0, 255])), '00 00 ff');
  assert.match(previewOf(new Uint8Array(1000)), /^(00 ){23}00 … \(1000 bytes\)$/);
  assert.equal(previewOf(bytes('a\nb')), '61 0a 62');
  assert.equal(previewOf(new Uint8Array(0)), 'empty');
  assert.equal(previewOf(null), 'null');
});
