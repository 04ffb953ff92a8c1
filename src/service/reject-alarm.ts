import type { Telemetry } from '../telemetry.ts';

/** Records over which the share of rejected ones is judged. */
const windowRecords = 1000;

/** Watches how many of the records read cannot be used. */
export interface RejectAlarm extends Telemetry {
  /** Bounded input has ended: judges its last window, however short the input was. */
  end(): void;
}

interface Window {
  readonly read: number;
  readonly rejected: number;
}

const nothing: Window = { read: 0, rejected: 0 };

/** Calls `onAlarm` once when more than `limit` (0 to 1) of a window of 1,000 records read in a row were rejected. */
export function rejectAlarm(limit: number, onAlarm: (share: number) => void): RejectAlarm {
  let earlier = nothing;
  let current = nothing;
  let isRaised = false;
  const judge = ({ read, rejected }: Window): void => {
    if (isRaised || rejected <= limit * read) return;
    isRaised = true;
    onAlarm(rejected / read);
  };
  return {
    emit: (event) => {
      if (event.type === 'recordsRejected') current = { ...current, rejected: current.rejected + event.records };
      if (event.type !== 'recordsRead') return;
      // A block's rejections are told after its records: judge what is complete before the next block counts.
      if (current.read >= windowRecords) {
        judge(current);
        earlier = current;
        current = nothing;
      }
      current = { ...current, read: current.read + event.records };
    },
    end: () => {
      // A few records at the end weigh no more than they would in a stream that goes on.
      judge(
        current.read >= windowRecords
          ? current
          : { read: earlier.read + current.read, rejected: earlier.rejected + current.rejected },
      );
    },
  };
}
