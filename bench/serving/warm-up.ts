/** Seconds at the start of a client's work that do not count: code is compiled, and what queued meanwhile is worked off. */
export const warmUpSeconds = 5;
