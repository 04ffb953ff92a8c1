import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.ts';
import type { CheckpointFacts, LedgerEntry } from '../checkpoint/manifest.ts';
import type { Shape } from '../checkpoint/shape.ts';
import type { DeadLetters } from '../dead-letters/dead-letters.ts';
import { CheckpointError, messageOf } from '../errors.ts';
import type { PipelineStates } from '../pipeline.ts';
import {
  partitionName,
  type Barrier,
  type ModelReport,
  type Outcomes,
  type Snapshot,
  type TrainerOutcomes,
} from '../records.ts';
import type { Source } from '../sources/source.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Trainer } from '../trainer/trainer.ts';

/** What the trainer's snapshot says to readers. */
export interface TrainerFacts {
  readonly step: number;
  readonly outcomes: TrainerOutcomes;
  readonly ledger: readonly ({ readonly originId: number } & LedgerEntry)[];
  readonly weightsDigest: string;
  readonly backend: string;
  /** Event time of the newest row learned, Unix ms. */
  readonly trainedThroughMs: number | null;
  readonly models: Readonly<Record<string, ModelReport>>;
  readonly baseline: ModelReport;
}

export interface CheckpointingParts {
  readonly store: CheckpointStore;
  readonly trainer: Pick<Trainer, 'snapshot'>;
  readonly source: Pick<Source, 'prepareCheckpoint' | 'commit'>;
  readonly deadLetters: DeadLetters;
  readonly states: PipelineStates;
  readonly shape: Shape;
  readonly telemetry: Telemetry;
  /** Ends the waiting for a disk that does not take the checkpoint. */
  readonly signal: AbortSignal;
  /** How long to try again; null: for ever. */
  readonly patienceMs: number | null;
}

/** A checkpoint that is durable. */
export interface SavedCheckpoint {
  readonly id: string;
  readonly facts: CheckpointFacts;
  readonly parts: ReadonlyMap<string, Snapshot>;
}

const firstRetryMs = 1000;
const longestRetryMs = 30_000;

/**
 * Makes what a barrier describes durable, in the one order that is safe: dead letters, the source's own files, the
 * checkpoint, and only then the committed offsets.
 * @returns the function that the pipeline calls at each barrier; it resolves with what was saved.
 */
export function checkpointing(parts: CheckpointingParts): (barrier: Barrier) => Promise<SavedCheckpoint> {
  const { store, trainer, source, deadLetters, telemetry } = parts;
  return async (barrier) => {
    const startedAt = performance.now();
    const trainerPart = await trainer.snapshot();
    const pausedAt = performance.now();
    await deadLetters.flush();
    await source.prepareCheckpoint?.();
    const snapshots = new Map([...barrier.parts, ['trainer', trainerPart] as const]);
    const facts = factsOf(barrier, trainerPart.json as unknown as TrainerFacts, parts);
    const saved = await persistently(parts, () => store.save(facts, snapshots));
    const savedAt = performance.now();
    telemetry.emit({
      type: 'checkpointSaved',
      step: facts.step,
      seconds: (savedAt - startedAt) / 1000,
      pauseSeconds: (savedAt - pausedAt) / 1000,
      ...saved,
    });
    await source.commit(barrier.positions);
    return { id: saved.id, facts, parts: snapshots };
  };
}

/** A full disk or the like stops learning, not the process: the checkpoint is tried again until it succeeds. */
async function persistently<T>(
  { telemetry, signal, patienceMs }: CheckpointingParts,
  save: () => Promise<T>,
): Promise<T> {
  const givesUpAt = patienceMs === null ? Infinity : performance.now() + patienceMs;
  for (let pauseMs = firstRetryMs; ; pauseMs = Math.min(2 * pauseMs, longestRetryMs)) {
    try {
      return await save();
    } catch (error) {
      if (!(error instanceof CheckpointError) || !error.retriable || signal.aborted || performance.now() > givesUpAt)
        throw error;
      telemetry.emit({ type: 'checkpointFailed', message: messageOf(error) });
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function factsOf(
  barrier: Barrier,
  trainer: TrainerFacts,
  { states, shape, deadLetters }: CheckpointingParts,
): CheckpointFacts {
  const name = (originId: number): string => partitionName(states.decode.origins.origin(originId));
  return {
    step: trainer.step,
    positions: barrier.positions,
    records: outcomesAt(barrier, trainer.outcomes),
    ledger: Object.fromEntries(trainer.ledger.map(({ originId, count, hash }) => [name(originId), { count, hash }])),
    weightsDigest: trainer.weightsDigest,
    backend: trainer.backend,
    models: trainer.models,
    baseline: trainer.baseline,
    deadLetterBytes: deadLetters.durableBytes,
    shape,
  };
}

/** Every record read before the barrier has one outcome; a sum that does not add up is a bug, and no checkpoint is written. */
function outcomesAt({ parts }: Barrier, trainer: TrainerOutcomes): Outcomes {
  const { read, rejected: undecodable } = countsOf(parts.get('decode'));
  const { rejected: underivable, filtered } = countsOf(parts.get('derive'));
  const batched = parts.get('batch')?.arrays['targets']?.length ?? 0;
  const { trained, unlabelled } = trainer;
  const rejected = undecodable + underivable + trainer.rejected;
  const pending = batched + trainer.pending;
  assert.equal(
    trained + rejected + filtered + unlabelled + pending,
    read,
    `outcomes do not add up: trained ${trained}, rejected ${rejected}, filtered ${filtered}, unlabelled ${unlabelled}, pending ${pending}`,
  );
  return { read, trained, rejected, filtered, unlabelled, pending };
}

function countsOf(snapshot: Snapshot | undefined): Readonly<Record<'read' | 'rejected' | 'filtered', number>> {
  assert.ok(snapshot !== undefined, 'a barrier arrived without the part of an operator');
  return snapshot.json as Readonly<Record<'read' | 'rejected' | 'filtered', number>>;
}
