/** Lets one waiter sleep until something happens, a time has passed, or it is told to stop. */
export class Wake {
  #isNotified = false;
  #wakeUp: () => void = () => undefined;

  /** Ends the present wait, or the next one at once. */
  notify(): void {
    this.#isNotified = true;
    this.#wakeUp();
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
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
    this.#isNotified = false;
  }
}
