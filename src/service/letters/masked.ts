/** What stands for a value that is not shown. */
export const mask = '•••';

/**
 * A decoded record as JSON without the values of some fields, given by dotted path, and without bytes. A path also fits where a
 * union of Avro stands between its segments: rather too much is hidden than too little.
 */
export function maskedJson(record: object, fields: ReadonlySet<string>): string {
  const paths = [...fields].map((field) => field.split('.'));
  return JSON.stringify(maskedValue(record, [], paths));
}

function maskedValue(value: unknown, path: readonly string[], hidden: readonly (readonly string[])[]): unknown {
  if (hidden.some((segments) => leadsTo(path, segments))) return mask;
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (Array.isArray(value)) return value.map((item) => maskedValue(item, path, hidden));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, maskedValue(item, [...path, key], hidden)]),
  );
}

/** Whether a path ends with the last segment and has the others, in order, before it. */
function leadsTo(path: readonly string[], segments: readonly string[]): boolean {
  if (path.at(-1) !== segments.at(-1)) return false;
  let found = 0;
  for (const step of path) if (step === segments[found]) found += 1;
  return found === segments.length;
}
