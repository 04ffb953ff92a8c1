import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import { weightsDigest } from '../../src/trainer/digest.ts';

it('the digest is that of name, zero, rank, dimensions and float32 values, by name', () => {
  const bytes = Buffer.from(
    [
      '62696173 00 01000000 01000000 000000bf', // bias, [1], -0.5
      '6b65726e656c 00 02000000 02000000 01000000 0000803f 00000040', // kernel, [2, 1], 1 and 2
    ]
      .join('')
      .replaceAll(' ', ''),
    'hex',
  );
  const weights = [
    { name: 'kernel', shape: [2, 1], values: Float32Array.of(1, 2) },
    { name: 'bias', shape: [1], values: Float32Array.of(-0.5) },
  ];
  const expected = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  assert.equal(weightsDigest(weights), expected);
  assert.equal(weightsDigest(weights.toReversed()), expected);
});
