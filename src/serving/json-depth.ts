/** Levels of arrays and objects that the JSON of a request may have: far more than its shapes and the paths of fields need. */
const maxDepth = 64;

/** What the sender of deeper JSON is told. */
export const tooDeep = `the body: expected at most ${maxDepth} levels of arrays and objects`;

const [quote, backslash, openArray, closeArray, openObject, closeObject] = ['"', '\\', '[', ']', '{', '}'].map((sign) =>
  sign.charCodeAt(0),
);

/**
 * Whether JSON nests deeper than `maxDepth`; of a text that is none it may say either. Stops where it finds that, while
 * parsing 100,000 levels, which fit into 200 KB, holds the thread for tens of milliseconds.
 */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isQuoted) {
      if (code === backslash) at += 1;
      else if (code === quote) isQuoted = false;
    } else if (code === quote) isQuoted = true;
    else if (code === openArray || code === openObject) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (code === closeArray || code === closeObject) depth -= 1;
  }
  return false;
}
