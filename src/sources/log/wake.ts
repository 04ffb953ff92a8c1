/** Lets one waiter sleep until something happens, a time has passed, or it is told to stop. */
export class Wake {
  #isNotified = false;
  #wakeUp: () => void = () => undefined;

  /** Ends the present wait, or the next one at once. */
  notify(): void {
    this.#isNotified = true;
    this.#wakeUp();
  }

  /** Returns whether something happened. */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#isNotified && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', this.#wakeUp, { once: true });
      });
      signal.removeEventListener('abort', this.#wakeUp);
    }
    const isNotified = this.#isNotified;
    this.#isNotified = false;
    return isNotified;
  }
}
