import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isText, TextCache } from '../../src/codecs/text-cache.ts';

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readTwice(cache: TextCache, text: string): readonly [string | null, string | null] {
  const bytes = Buffer.from(`#${text}#`);
  const read = (): string | null => cache.text(bytes, viewOf(bytes), 1, bytes.length - 2);
  return [read(), read()];
}

test('texts come back as they are, first and later, of any length', () => {
  const cache = new TextCache();
  for (let length = 0; length < 70; length += 1) {
    // Two texts that differ in one place each, so that what is compared is all of the text.
    for (let at = 0; at <= length; at += 1) {
      const text = `${'a'.repeat(at)}b${'a'.repeat(length - at)}`;
      assert.deepEqual(readTwice(cache, text), [text, text]);
    }
  }
  assert.deepEqual(readTwice(cache, 'zwölf'), ['zwölf', 'zwölf']);
});

test('more texts than the cache holds are read all the same', () => {
  const cache = new TextCache();
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index < 20_000; index += 1) {
      const text = `sensor-${index}`;
      const bytes = Buffer.from(text);
      assert.equal(cache.text(bytes, viewOf(bytes), 0, bytes.length), text);
    }
  }
});

test('what is no UTF-8 is no text, and is not kept as one', () => {
  const cache = new TextCache();
  const bytes = Buffer.from([0x61, 0xc3, 0x28, 0x62, 0x63]);
  for (let time = 0; time < 2; time += 1) assert.equal(cache.text(bytes, viewOf(bytes), 0, 5), null);
  assert.equal(cache.text(bytes, viewOf(bytes), 0, 2), null);
  for (const length of [2, 3, 4, 5]) assert.equal(isText(bytes, viewOf(bytes), 0, length), false, `length ${length}`);
  const long = Buffer.concat([Buffer.alloc(80, 0x61), bytes]);
  assert.equal(isText(long, viewOf(long), 0, 85), false);
  assert.equal(isText(long, viewOf(long), 0, 80), true);
  const word = Buffer.from('zwölf Boxkämpfer');
  assert.equal(isText(word, viewOf(word), 0, word.length), true);
  assert.equal(isText(word, viewOf(word), 0, 0), true);
});
