const [quote, backslash, openArray, closeArray, openObject, closeObject] = Buffer.from('"\\[]{}') as Iterable<number>;

/**
 * Whether JSON in UTF-8 nests deeper than so many arrays and objects; of bytes that are none it may say either. Stops where it
 * finds that, while parsing 100,000 levels, which fit into 200 KB, holds the thread for tens of milliseconds.
 */
export function isTooDeep(json: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (isQuoted) {
      if (byte === backslash) at += 1;
      else if (byte === quote) isQuoted = false;
    } else if (byte === quote) isQuoted = true;
    else if (byte === openArray || byte === openObject) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (byte === closeArray || byte === closeObject) depth -= 1;
  }
  return false;
}
