import { isUtf8 } from 'node:buffer';

/** Texts kept; a power of two. */
const slotCount = 4096;
const slotBits = 12;
/** Slots, one behind the other, in which a text may stand: enough for a thousand texts to stand side by side. */
const slotsPerText = 4;
const wordsPerSlot = 10;
const shortestBytes = 4;
/** Longer texts than a UUID seldom repeat. */
const longestBytes = 4 * wordsPerSlot;

/**
 * The texts of one column by their bytes, so that a key read a million times is decoded and allocated once. Bounded:
 * a new text takes the place of an old one.
 */
export class TextCache {
  readonly #texts = new Array<string>(slotCount).fill('');
  /** Bytes in each slot, -1 where there is none, [slotCount]. */
  readonly #lengths = new Int32Array(slotCount).fill(-1);
  /** Bytes as words: the first four, the last four, then those between, [slotCount × wordsPerSlot]. */
  readonly #words = new Int32Array(slotCount * wordsPerSlot);

  /** The text in `bytes[at, at + length)`, null where it is no UTF-8. `view` covers the same memory. */
  text(bytes: Buffer, view: DataView, at: number, length: number): string | null {
    if (length < shortestBytes || length > longestBytes) return decoded(bytes, at, length);
    const first = view.getInt32(at, true);
    const last = view.getInt32(at + length - 4, true);
    // Multiplied by 2³² over the golden ratio, the upper bits depend on all bits (Knuth, volume 3, section 6.4).
    const home = Math.imul(last ^ Math.imul(first, 31) ^ length, 0x9e3779b1) >>> (32 - slotBits);
    for (let step = 0; step < slotsPerText; step += 1) {
      const slot = (home + step) % slotCount;
      const word = slot * wordsPerSlot;
      if (this.#lengths[slot] !== length || this.#words[word] !== first || this.#words[word + 1] !== last) continue;
      if (this.#holdsMiddle(word + 2, view, at + 4, at + length - 4)) return this.#texts[slot]!;
    }
    return this.#keep(home, bytes, view, at, length);
  }

  #holdsMiddle(word: number, view: DataView, from: number, to: number): boolean {
    for (let at = from; at < to; at += 4, word += 1) if (this.#words[word] !== view.getInt32(at, true)) return false;
    return true;
  }

  #keep(home: number, bytes: Buffer, view: DataView, at: number, length: number): string | null {
    const text = decoded(bytes, at, length);
    if (text === null) return null;
    let slot = home;
    for (let step = slotsPerText - 1; step >= 0; step -= 1) {
      const candidate = (home + step) % slotCount;
      if (this.#lengths[candidate]! < 0) slot = candidate;
    }
    const word = slot * wordsPerSlot;
    this.#lengths[slot] = length;
    this.#words[word] = view.getInt32(at, true);
    this.#words[word + 1] = view.getInt32(at + length - 4, true);
    for (let middle = 4, next = word + 2; middle < length - 4; middle += 4, next += 1) {
      this.#words[next] = view.getInt32(at + middle, true);
    }
    this.#texts[slot] = text;
    return text;
  }
}

function decoded(bytes: Buffer, at: number, length: number): string | null {
  return isUtf8(bytes.subarray(at, at + length)) ? bytes.toString('utf8', at, at + length) : null;
}

/** True where `bytes[at, at + length)` is UTF-8. Most texts are short and ASCII: no call into the runtime for them. */
export function isText(bytes: Buffer, view: DataView, at: number, length: number): boolean {
  if (length < 4 || length > 64) return isUtf8(bytes.subarray(at, at + length));
  const to = at + length - 4;
  let seen = view.getInt32(to, true);
  for (let word = at; word < to; word += 4) seen |= view.getInt32(word, true);
  return (seen & 0x80808080) === 0 || isUtf8(bytes.subarray(at, at + length));
}
