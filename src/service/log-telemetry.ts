import type { Logger } from 'pino';
import type { PromotionDecision } from '../records.ts';
import type { Telemetry, TelemetryEvent } from '../telemetry.ts';

type OffsetsSkipped = Pick<Extract<TelemetryEvent, { type: 'offsetsSkipped' }>, 'topic' | 'partition' | 'from' | 'to'>;

/** Where a pipeline says what an operator has to know: a logger of pino, as `app.log` of Fastify is. */
export type PipelineLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** A message that repeats is logged again after this long. */
const repeatMs = 10_000;

/** Logs what an operator has to know; counts and rates are for metrics. A trouble that repeats is said every 10 s, not every try. */
export function logTelemetry(logger: PipelineLogger): Telemetry {
  const saidAt = new Map<string, number>();
  const warn = (kind: string, message: string): void => {
    const now = Date.now();
    if (now - (saidAt.get(kind) ?? -Infinity) < repeatMs) return;
    saidAt.set(kind, now);
    logger.warn(message);
  };
  return {
    emit: (event) => {
      switch (event.type) {
        case 'sourceJoined':
          saidAt.delete('source');
          logger.info('the source has joined');
          break;
        case 'sourceInterrupted':
          warn('source', event.message);
          break;
        case 'sourceDegraded':
        case 'modelDegraded':
          logger.warn(event.message);
          break;
        case 'predictionsAwaited':
          logger.info(event.message);
          break;
        case 'predictionsJoined':
          saidAt.delete('predictions');
          logger.info('predictions flow to their topic');
          break;
        case 'predictionsInterrupted':
          warn('predictions', event.message);
          break;
        case 'predictionOffsetsSkipped':
          logger.error(`${placeOf(event)} are gone and were not predicted`);
          break;
        case 'predictionsWritten':
          for (const reason of event.rejected.keys()) {
            warn(`not predicted ${reason}`, `records to predict went to the dead letters: ${reason}`);
          }
          break;
        case 'registryRetried':
          warn('registry', event.message);
          break;
        case 'checkpointFailed':
          warn('checkpoint', event.message);
          break;
        case 'checkpointDamaged':
          logger.error(`checkpoint ${event.id} is damaged (${event.message}); looking at the one before it`);
          break;
        case 'offsetsSkipped':
          logger.error(`${placeOf(event)} are gone and were not learned`);
          break;
        case 'checkpointSaved':
          logger.debug(
            `checkpoint ${event.id} at step ${event.step}, ${event.bytes} bytes in ${event.seconds.toFixed(3)} s`,
          );
          break;
        case 'promotionDecided':
          if (event.decision !== null) sayDecision(logger, event.decision);
          break;
        case 'recordsRejected':
          warn(`rejected ${event.reason}`, `records went to the dead letters: ${event.reason}`);
          break;
        default: // the rest is counted, not logged
      }
    },
  };
}

/** With all its numbers, for whoever reads the log by program. */
function sayDecision(logger: PipelineLogger, decision: PromotionDecision): void {
  const { action, version, message } = decision;
  const isTrouble = action === 'held' || action === 'returned';
  logger[isTrouble ? 'warn' : 'info']({ decision }, `version ${version} ${actionWords[action]}: ${message}`);
}

const actionWords = {
  promoted: 'is served now',
  held: 'is held back',
  returned: 'is served again',
  pinned: 'is pinned',
  unpinned: 'is no longer pinned',
  rolledBack: 'is served again and pinned',
} as const;

function placeOf({ topic, partition, from, to }: OffsetsSkipped): string {
  return `${topic}:${partition}: records from offset ${from} to ${to}`;
}
