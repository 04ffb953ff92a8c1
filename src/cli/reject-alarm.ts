import type { Telemetry } from '../telemetry.ts';

/** Records over which the share of rejected ones is judged. */
const windowRecords = 1000;

/** Calls `onAlarm` once when more than `limit` (0 to 1) of a window of 1,000 records read in a row were rejected. */
export function rejectAlarm(limit: number, onAlarm: (share: number) => void): Telemetry {
  let read = 0;
  let rejected = 0;
  let isRaised = false;
  return {
    emit: (event) => {
      if (event.type === 'recordsRejected') rejected += event.records;
      if (event.type !== 'recordsRead' || isRaised) return;
      // A block's rejections are told after its records: judge what is complete before the next block counts.
      if (read >= windowRecords) {
        if (rejected > limit * read) {
          isRaised = true;
          onAlarm(rejected / read);
        }
        read = 0;
        rejected = 0;
      }
      read += event.records;
    },
  };
}
