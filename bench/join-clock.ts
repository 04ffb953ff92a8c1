import type { Telemetry, TelemetryEvent } from '../src/telemetry.ts';
import { startClock, type Run } from './measure.ts';

/** A clock that starts when the source has joined: what that takes is the start-up of a run, not its speed. */
export class JoinClock implements Telemetry {
  #read: ((rows: number) => Run) | null = null;

  emit({ type }: TelemetryEvent): void {
    if (type === 'sourceJoined') this.#read ??= startClock();
  }

  /** What so many rows took since then. @throws where the source never joined */
  read(rows: number): Run {
    if (this.#read === null) throw new Error('the source ended without having joined');
    return this.#read(rows);
  }
}
