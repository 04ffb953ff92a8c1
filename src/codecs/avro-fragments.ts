/**
 * The code of a compiled reader, piece by piece. Each piece reads one value at `at` and moves `at` behind it; it leaves
 * the function around it, which then returns -1, where the value is not plainly good. Only numbers are ever put into a piece.
 *
 * Names that every piece may use: `bytes`, `view` (the same memory), `at`, `end` (of the datum), `window` (the last place
 * with eight bytes of memory behind it), and the tools.
 */

/** What generated code calls; by these names. */
export const toolNames = ['varint', 'scanner', 'caches', 'symbols', 'shapes', 'isText', 'isoTimeMs'] as const;

/** Gives up on the record: whoever called decides what is wrong with it. */
export const decline = 'return -1;';

const carefully = (name: string): string =>
  `${name} = varint.read(bytes, at, end); at = varint.at; if (at < 0) ${decline}`;

/** The seven low bits of each of four bytes as one number. */
const joined = (word: string): string =>
  `((${word} & 0x7f) | ((${word} >>> 1) & 0x3f80) | ((${word} >>> 2) & 0x1fc000) | ((${word} >>> 3) & 0xfe00000))`;

/**
 * Four bytes at once, without a branch on how many there are: `stop` gets the continuation bits that are 0, then all bits
 * up to the first of them.
 */
const upToFourBytes = `stop ^= stop - 1; at += (32 - Math.clz32(stop)) >>> 3; const few = ${joined('(word & stop)')}; v = (few >>> 1) ^ -(few & 1);`;

const fiveToEightBytes = `const next = view.getInt32(at + 4, true); stop = ~next & 0x80808080;
if (stop !== 0) {
stop ^= stop - 1; at += 4 + ((32 - Math.clz32(stop)) >>> 3);
const low = ${joined('word')}; v = ${joined('(next & stop)')} * 0x8000000 + (low >>> 1); if ((low & 1) !== 0) v = -v - 1;
} else { ${carefully('v')} }`;

/** A long into `v`, exact within ±2⁵³ and close beyond. */
export const readLong = `let v = 0;
if (at <= window) {
const word = view.getInt32(at, true); let stop = ~word & 0x80808080;
if (stop !== 0) { ${upToFourBytes} } else { ${fiveToEightBytes} }
} else { ${carefully('v')} }
if (at > end) ${decline}`;

/** A long within ±2⁵³ into `v`. */
export const readSafeLong = `${readLong} if (!(Math.abs(v) <= ${Number.MAX_SAFE_INTEGER})) ${decline}`;

/** An int into `v`. */
export const readInt = `let v = 0; let stop = 0; let word = 0;
if (at <= window) { word = view.getInt32(at, true); stop = ~word & 0x80808080; }
if (stop !== 0) { ${upToFourBytes} } else { ${carefully('v')} if (v > 2147483647 || v < -2147483648) ${decline} }
if (at > end) ${decline}`;

/** A small number, such as a length or the index of a branch, into a variable of this name. */
const readSmall = (name: string): string => `let ${name} = at < end ? bytes[at] : 0x80;
if (${name} < 0x80) { at += 1; ${name} = (${name} >>> 1) ^ -(${name} & 1); } else { ${carefully(name)} }`;

/** The index of a union's branch or of an enum's symbol into `index`; whoever uses it checks the range. */
export const readIndex = readSmall('index');

/** A length into `length`, so that as many bytes lie between `at` and `end`. */
export const readLength = `${readSmall('length')} if (length < 0 || length > end - at) ${decline}`;

/** A boolean into `v`. */
export const readBoolean = `if (at >= end) ${decline} const v = bytes[at] === 1; if (bytes[at] > 1) ${decline} at += 1;`;

/** A float or a double into `v`. */
export const readFloat = `${roomFor(4)} const v = view.getFloat32(at, true); at += 4;`;
export const readDouble = `${roomFor(8)} const v = view.getFloat64(at, true); at += 8;`;

/** Passes over so many bytes. */
export function passBytes(count: number): string {
  return `${roomFor(count)} at += ${count};`;
}

/** Passes over a string, and sees to it that it is one. */
export const passText = `${readLength} if (!isText(bytes, view, at, length)) ${decline} at += length;`;

/** Passes over any value by its shape, inside of `depth` records. */
export function passShape(shapeIndex: number, depth: number): string {
  return `at = scanner.skip(shapes[${shapeIndex}], at, ${depth}); if (at < 0) ${decline}`;
}

/** One piece for each branch of a union. */
export function chooseBranch(branches: readonly string[]): string {
  const cases = branches.map((branch, index) => `case ${index}: { ${branch} break; }`);
  return `${readIndex} switch (index) { ${cases.join('\n')} default: ${decline} }`;
}

/** A piece whose variables are its own. */
export function scoped(piece: string): string {
  return piece === '' ? '' : `{ ${piece} }\n`;
}

function roomFor(count: number): string {
  return `if (at + ${count} > end) ${decline}`;
}
