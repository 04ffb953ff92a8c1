const maxCharacters = 240;
const maxBytes = 24;

/** The beginning of a value for human eyes: as text where it is printable UTF-8, else in hexadecimal. */
export function previewOf(value: Uint8Array | string | null): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return shortened(value);
  if (value.length === 0) return 'empty';
  const head = Buffer.from(value.subarray(0, maxCharacters * 4)).toString('utf8');
  if (!/[\p{Cc}\uFFFD]/u.test(head.slice(0, maxCharacters))) return shortened(head);
  const hex = Buffer.from(value.subarray(0, maxBytes))
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
  return value.length > maxBytes ? `${hex} … (${value.length} bytes)` : hex;
}

export function shortened(text: string): string {
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
}
