import type { Telemetry } from '../../telemetry.ts';

/** Tells what the source and the codec of predictions to a topic say as theirs: training has a source of its own. */
export function scoringTelemetry(telemetry: Telemetry): Telemetry {
  return {
    emit: (event) => {
      switch (event.type) {
        case 'sourceJoined':
          telemetry.emit({ type: 'predictionsJoined' });
          break;
        case 'sourceInterrupted':
        case 'registryRetried':
          telemetry.emit({ type: 'predictionsInterrupted', message: `predictions wait: ${event.message}` });
          break;
        case 'endOffsetSeen':
          telemetry.emit({ ...event, type: 'predictionPartitionSeen', nextOffset: -1 });
          break;
        case 'offsetsSkipped':
          telemetry.emit({ ...event, type: 'predictionOffsetsSkipped' });
          break;
        default: // counts are told with each transaction, the rest by training
      }
    },
  };
}
