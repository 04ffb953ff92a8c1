/** Counts bytes handed downstream and not yet released; the source waits while `limitBytes` is used up. */
export class Credit {
  readonly limitBytes: number;
  #usedBytes = 0;
  #waiting: (() => void)[] = [];

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes `bytes` (always granted, so that one block larger than the limit still passes) and returns its one-time release. */
  take(bytes: number): () => void {
    this.#usedBytes += bytes;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#usedBytes -= bytes;
      if (this.#usedBytes < this.limitBytes) this.#wakeAll();
    };
  }

  /** Resolves at once while credit is left, else when some comes back or `signal` aborts. */
  async available(signal?: AbortSignal): Promise<void> {
    while (this.#usedBytes >= this.limitBytes && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        signal?.addEventListener('abort', wake, { once: true });
        this.#waiting.push(wake);
      });
    }
  }

  #wakeAll(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}
