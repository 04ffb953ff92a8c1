/** kafkajs's queue of requests to one broker. */
interface RequestQueue {
  /** Requests that wait: for a free place, or for the end of throttling. */
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

/** Its class. */
export interface RequestQueueClass {
  readonly prototype: RequestQueue;
}

/**
 * Has a queue of requests look again later only where a request waits. kafkajs 2.2.4 sets a timer after every answer and
 * after every look, with a negative time where nothing waits: that makes Node look a thousand times a second for each
 * connection, and from version 21 on print a TimeoutNegativeWarning. A request that comes to wait sets a timer itself.
 */
export function stopIdleTimers({ prototype }: RequestQueueClass): void {
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleWhereSomeWait() {
    if (this.pending.length > 0) schedule.call(this);
  };
}
