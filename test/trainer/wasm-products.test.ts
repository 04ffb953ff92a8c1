import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/trainer/backends.ts';

before(() => useBackend('wasm'));

interface Case {
  readonly shape: readonly number[];
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const cases: readonly Case[] = [[], [2]].flatMap((lead) =>
  [
    { transposeA: true, transposeB: false },
    { transposeA: false, transposeB: true },
    { transposeA: true, transposeB: true },
  ].map((flags) => ({ shape: [...lead, 5, 3], ...flags })),
);

for (const { shape, transposeA, transposeB } of cases) {
  const which = [transposeA && 'first', transposeB && 'second'].filter(Boolean).join(' and ');
  test(`a product of rank ${shape.length} with its ${which} operand transposed is that of operands in order`, () => {
    const before = tf.backend().numDataIds();
    const lead = shape.slice(0, -2);
    const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
    const a = waves([...lead, ...(transposeA ? [columns, rows] : [rows, columns])]);
    const b = waves([...lead, ...(transposeB ? [4, columns] : [columns, 4])]);
    const found = tf.matMul(a, b, transposeA, transposeB);
    const wanted = tf.tidy(() => tf.matMul(transposeA ? swapped(a) : a, transposeB ? swapped(b) : b));
    assert.deepEqual(found.shape, wanted.shape);
    assert.deepEqual(found.dataSync(), wanted.dataSync());
    tf.dispose([a, b, found, wanted]);
    assert.equal(tf.backend().numDataIds(), before);
  });
}

function waves(shape: number[]): tf.Tensor {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, n) => Math.sin(n));
  return tf.tensor(values, shape);
}

function swapped(x: tf.Tensor): tf.Tensor {
  return tf.transpose(x, x.rank === 2 ? [1, 0] : [0, 2, 1]);
}
