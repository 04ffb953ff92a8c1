/** Date, optional time, optional zone; the zone is the first group. */
const iso8601 = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Unix milliseconds of an ISO 8601 date or date-time; NaN where it is none. Without a zone it is UTC, whatever machine reads it. */
export function isoTimeMs(text: string): number {
  const match = iso8601.exec(text);
  if (match === null) return Number.NaN;
  const hasLocalTime = text.length > 10 && match[1] === undefined;
  // JavaScript reads a date-time without a zone as local time: scores would depend on the machine.
  return Date.parse(hasLocalTime ? `${text}Z` : text);
}
