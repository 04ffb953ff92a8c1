import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decodeSnapshot } from '../../src/checkpoint/snapshot-file.ts';
import { runCommand, runForDocument, startCommand, until } from '../support/command.ts';
import type { InspectDocument, RunDocument } from '../support/documents.ts';
import { batchRows, fleetTopic, makeFleet, stepsPerCheckpoint, type Fleet, type Pipeline } from '../support/fleet.ts';

const recordCount = 6_000;

const checkpointId = (number: number): string => `checkpoint-${String(number).padStart(12, '0')}`;

async function inspected({ state }: Pipeline): Promise<InspectDocument> {
  const { stdout } = await runCommand(['inspect', state, '--json']);
  return JSON.parse(stdout) as InspectDocument;
}

async function runOnce({ file }: Pipeline): Promise<RunDocument> {
  return (await runForDocument(['run', file, '--once', '--json'])) as RunDocument;
}

/** A log, and what a run over it that nothing disturbs comes to. */
async function undisturbed(t: Parameters<typeof makeFleet>[0]): Promise<{ fleet: Fleet; whole: RunDocument }> {
  const fleet = makeFleet(t);
  await runForDocument(fleet.produce(recordCount));
  return { fleet, whole: await runOnce(fleet.pipeline('whole')) };
}

function assertSame(resumed: RunDocument, whole: RunDocument): void {
  for (const field of ['records', 'steps', 'metrics', 'weightsDigest', 'positions'] as const)
    assert.deepEqual(resumed[field], whole[field], field);
}

describe('a restart', () => {
  test('is right wherever in the saving of a checkpoint the process was killed', async (t) => {
    const { fleet, whole } = await undisturbed(t);
    const pipeline = fleet.pipeline('killed');
    /** Kills a run at a point of its first save; resolves with what it left. */
    const killedAt = async (point: string): Promise<InspectDocument & { drafts: number }> => {
      const { signal } = await runCommand(['run', pipeline.file, '--once'], { env: { MILLRACE_TEST_KILL_AT: point } });
      assert.equal(signal, 'SIGKILL');
      const drafts = readdirSync(pipeline.state).filter((name) => name.startsWith('tmp-'));
      const found = await inspected(pipeline);
      assert.ok(found.checkpoints.every(({ intact }) => intact));
      return { ...found, drafts: drafts.length };
    };
    const stepsOf = ({ checkpoints }: InspectDocument): number[] => checkpoints.map(({ step }) => step);

    const nothing = await killedAt('checkpoint.partsWritten');
    assert.deepEqual([stepsOf(nothing), nothing.pointer, nothing.drafts], [[], null, 1], 'a draft is no checkpoint');

    const first = await killedAt('checkpoint.renamed');
    assert.equal(first.checkpoints.length, 1, 'a renamed draft is a checkpoint');
    assert.deepEqual([first.pointer, first.drafts], [null, 0], 'even before the pointer names it');

    const second = await killedAt('checkpoint.saved');
    assert.equal(second.pointer, checkpointId(2));
    assert.equal(stepsOf(second)[0]! - stepsOf(second)[1]!, stepsPerCheckpoint, 'went on from the unnamed one');

    const unfinished = await killedAt('checkpoint.partsWritten');
    assert.deepEqual(stepsOf(unfinished), stepsOf(second), 'the one before stays');
    assert.equal(unfinished.drafts, 1);

    assertSame(await runOnce(pipeline), whole);
    assert.deepEqual(
      readdirSync(pipeline.state).filter((name) => name.startsWith('tmp-')),
      [],
    );
  });

  test('goes on from the checkpoint before a damaged one, says so, and ends at the same weights', async (t) => {
    const { fleet, whole } = await undisturbed(t);
    const pipeline = fleet.pipeline('damaged');
    const running = startCommand(['run', pipeline.file]);
    await until(() => checkpointNumbers(pipeline).length >= 3, 'three checkpoints');
    running.kill('SIGKILL');
    await running.ended;
    const newest = checkpointId(Math.max(...checkpointNumbers(pipeline)));
    const file = join(pipeline.state, newest, 'trainer.bin');
    const bytes = readFileSync(file);
    const middle = bytes.length >> 1;
    bytes[middle] = bytes[middle]! ^ 1;
    writeFileSync(file, bytes);

    const before = await inspected(pipeline);
    assert.deepEqual(
      before.checkpoints.slice(0, 2).map(({ id, intact }) => [id === newest, intact]),
      [
        [true, false],
        [false, true],
      ],
    );
    assert.equal((await runCommand(['inspect', pipeline.state])).code, 1, 'inspect tells scripts');

    const { code, stdout, stderr } = await runCommand(['run', pipeline.file, '--once', '--json']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(`${newest} is damaged \\(trainer\\.bin: digest differs\\)`));
    assert.match(stderr, new RegExp(`going on from ${before.checkpoints[1]?.id ?? ''}`));
    assertSame(JSON.parse(stdout) as RunDocument, whole);
  });

  test('begins nothing anew where no checkpoint is whole, unless it is asked to', async (t) => {
    const { fleet, whole } = await undisturbed(t);
    const pipeline = fleet.pipeline('all-damaged');
    assertSame(await runOnce(pipeline), whole);
    const kept = checkpointNumbers(pipeline);
    for (const number of kept) writeFileSync(join(pipeline.state, checkpointId(number), 'trainer.bin'), '');

    const { code, stderr } = await runCommand(['run', pipeline.file, '--once', '--json']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /checkpoint\.damaged.*no checkpoint is whole.*--fresh/s);
    assert.deepEqual(checkpointNumbers(pipeline), kept, 'what may still be of use stays');

    const fresh = await runCommand(['run', pipeline.file, '--once', '--json', '--fresh']);
    assertSame(JSON.parse(fresh.stdout) as RunDocument, whole);
  });

  test('after SIGTERM in mid-stream has the partial batch again and comes to the same weights', async (t) => {
    const { fleet, whole } = await undisturbed(t);
    const pipeline = fleet.pipeline('stopped', { limits: { ringBytes: '16KiB' } });
    const running = startCommand(['run', pipeline.file, '--json']);
    await until(() => checkpointNumbers(pipeline).length >= 2, 'two checkpoints');
    const askedMs = performance.now();
    running.kill('SIGTERM');
    const { code, stdout, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    assert.ok(performance.now() - askedMs < 10_000, 'within shutdownTimeout');
    const stopped = JSON.parse(stdout) as RunDocument;
    const read = stopped.positions[`${fleetTopic}:0`] ?? 0;
    assert.ok(read > 0 && read < recordCount, `stopped in mid-stream: ${read}`);
    assert.equal(partialRows(pipeline), read % batchRows);
    assert.ok(read % batchRows > 0, 'a partial batch was stored');
    const { checkpoints } = await inspected(pipeline);
    assert.deepEqual(checkpoints[0]?.records, stopped.records);

    assertSame(await runOnce(pipeline), whole);
  });

  test('is refused while another process uses the state', async (t) => {
    const { fleet } = await undisturbed(t);
    const pipeline = fleet.pipeline('shared');
    const first = startCommand(['run', pipeline.file]);
    await first.says(/live page at/);
    const second = await runCommand(['run', pipeline.file, '--once']);
    assert.equal(second.code, 1);
    assert.match(second.stderr, new RegExp(`${pipeline.state}: process ${first.pid} is using this state`));
    const fresh = await runCommand(['run', pipeline.file, '--once', '--fresh']);
    assert.equal(fresh.code, 1, '--fresh takes nothing away from a live process');
    assert.match(fresh.stderr, new RegExp(`process ${first.pid} is using this state`));
    first.kill('SIGTERM');
    assert.equal((await first.ended).code, 0);
  });
});

function checkpointNumbers({ state }: Pipeline): number[] {
  try {
    return readdirSync(state).flatMap((name) => /^checkpoint-(\d+)$/.exec(name)?.slice(1).map(Number) ?? []);
  } catch {
    return [];
  }
}

/** Rows of the partial batch in the newest checkpoint. */
function partialRows(pipeline: Pipeline): number {
  const dir = join(pipeline.state, checkpointId(Math.max(...checkpointNumbers(pipeline))));
  const { arrays } = decodeSnapshot(
    readFileSync(join(dir, 'batch.json'), 'utf8'),
    readFileSync(join(dir, 'batch.bin')),
  );
  return arrays['targets']?.length ?? 0;
}
