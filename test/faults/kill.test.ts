import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CounterRandom } from '../../src/sensors/counter-random.ts';
import { runForDocument, runPython, startCommand, until, type CommandOptions } from '../support/command.ts';
import { compiledProgram } from '../support/compiled-program.ts';
import type { InspectDocument, LedgerDocument, RunDocument } from '../support/documents.ts';
import { fleetTopic, horizonMs, makeFleet, produceWithPoison, type Fleet, type Pipeline } from '../support/fleet.ts';
import { killRuns, type Kills } from '../support/kill-runs.ts';
import { letterOffsets } from '../support/letters.ts';
import { missing } from '../support/requirements.ts';

const kills = 20;
const recordCount = 24_000;
const poisoned = 60;
/** Starts sooner than what `auto` takes, which the first test has. */
const quickBackend = { backend: 'wasm' };

interface FleetDocument {
  readonly nextOffset: number;
  readonly rejected: readonly number[];
  readonly records: RunDocument['records'];
  readonly ledger: LedgerDocument;
}

/** What an independent reader of the log finds. */
async function expectedOf({ log }: Fleet): Promise<FleetDocument> {
  return (await runPython('fleet.py', [log, fleetTopic, '0', String(horizonMs)])) as FleetDocument;
}

/** Asserts that the killed pipeline was really killed on its way, and that nothing of it shows in the end. */
async function assertUnhurt(
  { steps, unfinished }: Kills,
  killed: { readonly pipeline: Pipeline; readonly summary: RunDocument },
  whole: RunDocument,
  expected: FleetDocument,
): Promise<void> {
  assert.ok(new Set(steps.filter((step) => step > 0)).size >= 18, `distinct steps resumed from: ${steps.join(', ')}`);
  assert.ok(unfinished > 0, 'some kills are inside the writing of a checkpoint');
  assert.equal(killed.summary.weightsDigest, whole.weightsDigest, 'weights equal bit by bit');
  assert.deepEqual(killed.summary.records, expected.records);
  for (const field of ['records', 'steps', 'metrics', 'baseline', 'positions'] as const)
    assert.deepEqual(killed.summary[field], whole[field], field);
  const inspected = (await runForDocument(['inspect', killed.pipeline.state, '--json'])) as InspectDocument;
  assert.deepEqual(inspected.checkpoints[0]?.ledger, { [`${fleetTopic}:0`]: expected.ledger });
}

describe('kill -9', { skip: missing('python3') }, () => {
  const command = { program: compiledProgram({ after }) };

  test('of a run at twenty moments leaves weights, scores, ledger and dead letters as if there had been none', async (t) => {
    const fleet = makeFleet(t);
    await produceWithPoison(fleet, recordCount, poisoned, command);
    const expected = await expectedOf(fleet);
    assert.equal(expected.nextOffset, recordCount);
    assert.equal(expected.rejected.length, poisoned);

    const whole = fleet.pipeline('whole');
    const wholeSummary = (await runForDocument(['run', whole.file, '--once', '--json'], command)) as RunDocument;
    const pipeline = fleet.pipeline('killed');
    const found = await killRuns(pipeline, { kills, seed: 1, args: ['--once'], command });
    const summary = (await runForDocument(['run', pipeline.file, '--once', '--json'], command)) as RunDocument;
    await assertUnhurt(found, { pipeline, summary }, wholeSummary, expected);
    assert.deepEqual(letterOffsets(pipeline.deadLetters), expected.rejected, 'each dead letter once');
    assert.deepEqual(letterOffsets(whole.deadLetters), expected.rejected);
  });

  test('of the producer too, at moments of its own, leaves no gap in the log and the same model', async (t) => {
    const reference = makeFleet(t);
    await runForDocument(reference.produce(recordCount), command);
    const whole = (await runForDocument(
      ['run', reference.pipeline('whole', quickBackend).file, '--once', '--json'],
      command,
    )) as RunDocument;

    const fleet = makeFleet(t);
    await runForDocument(fleet.produce(1), command);
    const pipeline = fleet.pipeline('killed', quickBackend);
    const stop = new AbortController();
    const producing = killProducers(fleet, command, stop.signal);
    const found = await killRuns(pipeline, { kills, seed: 2, command }).finally(() => {
      stop.abort();
    });
    assert.ok((await producing) >= 10, 'the producer was killed as well');
    await runForDocument(fleet.produce(recordCount), command);
    const summary = (await runForDocument(['run', pipeline.file, '--once', '--json'], command)) as RunDocument;
    const expected = await expectedOf(fleet);
    assert.equal(expected.nextOffset, recordCount);
    await assertUnhurt(found, { pipeline, summary }, whole, expected);
  });
});

const producerRate = 5000;
const longestGrowthBytes = 200_000;
const longestDelayMs = 40;

/**
 * Starts producers and kills each a random while behind a random growth of the log, until told to stop or the log has all
 * records; resolves with the number of kills.
 */
async function killProducers(fleet: Fleet, command: CommandOptions, signal: AbortSignal): Promise<number> {
  const random = new CounterRandom(3);
  const segment = join(fleet.log, `${fleetTopic}-0`, `${'0'.repeat(20)}.log`);
  for (let killed = 0; ; killed++) {
    const wantedBytes = statSync(segment).size + random.uniform(0, killed) * longestGrowthBytes;
    const producer = startCommand([...fleet.produce(recordCount), '--rate', String(producerRate)], command);
    await until(() => statSync(segment).size > wantedBytes || signal.aborted || !producer.isRunning(), 'the log grows');
    await sleep(random.uniform(1, killed) * longestDelayMs);
    producer.kill('SIGKILL');
    if ((await producer.ended).signal !== 'SIGKILL' || signal.aborted) return killed;
  }
}
