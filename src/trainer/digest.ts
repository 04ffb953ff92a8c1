import { createHash } from 'node:crypto';
import type { Weight } from './learner.ts';

/**
 * `sha256:` and the SHA-256 of the weights sorted by name; of each: UTF-8 name, 0x00, uint32 rank and dimensions, float32
 * values, all little-endian. Anyone with the weights can recompute it.
 */
export function weightsDigest(weights: readonly Weight[]): string {
  const hash = createHash('sha256');
  const named = weights.map((weight) => ({ weight, name: Buffer.from(weight.name) }));
  for (const { weight, name } of named.sort((a, b) => Buffer.compare(a.name, b.name))) {
    const { shape, values } = weight;
    const numbers = Buffer.alloc(4 * (1 + shape.length + values.length));
    let at = numbers.writeUInt32LE(shape.length);
    for (const dimension of shape) at = numbers.writeUInt32LE(dimension, at);
    for (const value of values) at = numbers.writeFloatLE(value, at);
    hash.update(name).update('\0').update(numbers);
  }
  return `sha256:${hash.digest('hex')}`;
}
