/** What lies at the bottom of kafkajs's wrappings; of several topics that cannot be made, why the first cannot. */
export function bottomOf(error: unknown): unknown {
  let bottom = error;
  while (bottom instanceof Error) {
    const below: unknown = 'errors' in bottom && Array.isArray(bottom.errors) ? bottom.errors[0] : bottom.cause;
    if (!(below instanceof Error)) break;
    bottom = below;
  }
  return bottom;
}

/** The broker's name of what it refused, such as `TOPIC_AUTHORIZATION_FAILED`; null where no broker did. */
export function refusalOf(error: unknown): string | null {
  const bottom = bottomOf(error);
  return bottom instanceof Error && 'type' in bottom && typeof bottom.type === 'string' ? bottom.type : null;
}

/** True where kafkajs says that the same call may do better later. */
export function isRetriable(error: unknown): boolean {
  const bottom = bottomOf(error);
  return bottom instanceof Error && 'retriable' in bottom && bottom.retriable === true;
}
