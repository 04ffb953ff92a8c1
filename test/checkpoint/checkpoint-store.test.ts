import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { listCheckpoints, listManifests, openCheckpoints } from '../../src/checkpoint/checkpoint-store.ts';
import type { CheckpointFacts } from '../../src/checkpoint/manifest.ts';
import type { CheckpointError } from '../../src/errors.ts';
import type { ModelReport, Snapshot } from '../../src/records.ts';
import { temporaryDirectory } from '../support/command.ts';

const root = temporaryDirectory({ after });
const freshDir = (): string => mkdtempSync(join(root, 'state-'));

const report: ModelReport = {
  kind: 'linear',
  loss: 0.5,
  metrics: { mae: 1 },
  recent: { mae: null },
  scored: 3,
  steps: 3,
  withheld: 0,
};

function facts(step: number): CheckpointFacts {
  return {
    step,
    positions: [{ topic: 't', partition: 0, nextOffset: step * 10, epoch: 0 }],
    records: { read: step * 10, trained: step * 10, rejected: 0, filtered: 0, unlabelled: 0, pending: 0 },
    ledger: { 't:0': { count: step * 10, hash: '0123456789abcdef' } },
    weightsDigest: `sha256:${step}`,
    backend: 'cpu',
    models: { main: report },
    baseline: report,
    deadLetterBytes: 0,
    shape: { key: 'sensor' },
  };
}

function parts(seed: number): Map<string, Snapshot> {
  return new Map<string, Snapshot>([
    [
      'normalize',
      { json: { count: seed }, arrays: { mean: Float64Array.of(seed, -0, Number.NaN), flags: Uint8Array.of(1, 2, 3) } },
    ],
    ['trainer', { json: null, arrays: { weights: Float32Array.of(seed / 3), ids: Int32Array.of(-seed) } }],
  ]);
}

const unexpected = (id: string, problem: string): void => assert.fail(`${id} is damaged: ${problem}`);

describe('openCheckpoints', () => {
  test('has no latest checkpoint in a fresh directory', () => {
    const store = openCheckpoints(freshDir(), { keep: 3 });
    assert.equal(store.latest(unexpected), null);
    store.close();
  });

  test('gives back exactly what was saved, bit by bit', async () => {
    const dir = freshDir();
    const store = openCheckpoints(dir, { keep: 3 });
    await store.save(facts(7), parts(7));
    store.close();
    const latest = openCheckpoints(dir, { keep: 3 }).latest(unexpected);
    assert.equal(latest?.manifest.step, 7);
    assert.deepEqual(latest.manifest.positions, facts(7).positions);
    assert.deepEqual(latest.parts, parts(7));
    assert.ok(Object.is(latest.parts.get('normalize')?.arrays['mean']?.[1], -0));
  });

  test('keeps the newest K and counts on after a restart', async () => {
    const dir = freshDir();
    for (const steps of [
      [1, 2, 3],
      [4, 5],
    ]) {
      const store = openCheckpoints(dir, { keep: 3 });
      for (const step of steps) await store.save(facts(step), parts(step));
      store.close();
    }
    const { checkpoints, pointer } = listCheckpoints(dir);
    assert.deepEqual(
      checkpoints.map(({ manifest }) => manifest?.step),
      [5, 4, 3],
    );
    assert.equal(pointer, 'checkpoint-000000000005');
  });

  test('keeps what is spared beside the newest K, for as long as it is', async () => {
    const dir = freshDir();
    const store = openCheckpoints(dir, { keep: 3 });
    const idOf = (number: number): string => `checkpoint-${String(number).padStart(12, '0')}`;
    const kept = (): number[] => listManifests(dir).map(({ step }) => step);
    await store.save(facts(1), parts(1));
    store.spare([idOf(1)]);
    for (const step of [2, 3, 4, 5]) await store.save(facts(step), parts(step));
    assert.deepEqual(kept(), [5, 4, 3, 1]);
    assert.deepEqual(store.read(idOf(1))?.parts, parts(1));
    assert.equal(store.read(idOf(2)), null);
    assert.equal(store.read('../elsewhere'), null);
    store.spare([]);
    await store.save(facts(6), parts(6));
    assert.deepEqual(kept(), [6, 5, 4]);
    writeFileSync(join(dir, idOf(4), 'trainer.bin'), 'damaged');
    assert.equal(store.read(idOf(4)), null);
    store.close();
  });

  test('begins nothing anew where there are checkpoints and none is whole', async () => {
    const dir = freshDir();
    const store = openCheckpoints(dir, { keep: 3 });
    for (const step of [1, 2]) await store.save(facts(step), parts(step));
    writeFileSync(join(dir, 'checkpoint-000000000001', 'trainer.bin'), 'damaged');
    writeFileSync(join(dir, 'checkpoint-000000000002', 'manifest.json'), '{}');
    const damaged: string[] = [];
    assert.throws(
      () => store.latest((id) => damaged.push(id)),
      ({ code, message }: CheckpointError) => {
        assert.equal(code, 'checkpoint.damaged');
        const [two, one] = ['2 \\(manifest.json: digest differs\\)', '1 \\(trainer.bin: digest differs\\)'];
        assert.match(
          message,
          new RegExp(`no checkpoint is whole: checkpoint-0*${two}, checkpoint-0*${one}\\. .*--fresh`),
        );
        return true;
      },
    );
    assert.deepEqual(damaged, ['checkpoint-000000000002', 'checkpoint-000000000001']);
    store.close();
  });

  test('refuses a second writer and names the first', () => {
    const dir = freshDir();
    const store = openCheckpoints(dir, { keep: 3 });
    assert.throws(
      () => openCheckpoints(dir, { keep: 3 }),
      (error: CheckpointError) => {
        assert.equal(error.code, 'checkpoint.locked');
        assert.match(error.message, new RegExp(`process ${process.pid} is using this state`));
        return true;
      },
    );
    store.close();
    openCheckpoints(dir, { keep: 3 }).close();
  });

  test('takes over from a dead writer with a higher epoch, and the stale writer is refused', async () => {
    const dir = freshDir();
    const stale = openCheckpoints(dir, { keep: 3 });
    await stale.save(facts(1), parts(1));
    const owner = JSON.parse(readFileSync(join(dir, 'lock'), 'utf8')) as { epoch: number };
    writeFileSync(join(dir, 'lock'), JSON.stringify({ ...owner, bootId: 'of a machine that went down' }));
    const next = openCheckpoints(dir, { keep: 3 });
    await assert.rejects(stale.save(facts(2), parts(2)), { code: 'checkpoint.locked' });
    await next.save(facts(3), parts(3));
    const { checkpoints } = listCheckpoints(dir);
    assert.deepEqual(
      checkpoints.map(({ manifest }) => manifest?.step),
      [3, 1],
    );
    assert.ok((checkpoints[0]?.manifest?.writerEpoch ?? 0) > (checkpoints[1]?.manifest?.writerEpoch ?? 0));
    next.close();
  });

  test('falls back to the one before whichever file of the newest is damaged, and says so', async () => {
    const dir = freshDir();
    const store = openCheckpoints(dir, { keep: 3 });
    await store.save(facts(1), parts(1));
    const { id } = await store.save(facts(2), parts(2));
    store.close();
    const names = readdirSync(join(dir, id));
    assert.ok(names.length >= 6);
    for (const name of names) {
      for (const damage of ['flip', 'truncate', 'remove'] as const) {
        const copy = freshDir();
        cpSync(dir, copy, { recursive: true });
        const file = join(copy, id, name);
        if (damage === 'flip') {
          const bytes = readFileSync(file);
          const middle = bytes.length >> 1;
          bytes[middle] = (bytes[middle] ?? 0) ^ 1;
          writeFileSync(file, bytes);
        } else if (damage === 'truncate') truncateSync(file, statSync(file).size - 1);
        else rmSync(file);
        const told: string[] = [];
        const reopened = openCheckpoints(copy, { keep: 3 });
        const latest = reopened.latest((damagedId, problem) => told.push(`${damagedId} ${problem}`));
        assert.equal(latest?.manifest.step, 1, `${name} ${damage}`);
        assert.equal(told.length, 1, `${name} ${damage}`);
        assert.match(told[0] ?? '', new RegExp(id));
        reopened.close();
      }
    }
  });

  test('clears away drafts that a killed writer left', async () => {
    const dir = freshDir();
    const store = openCheckpoints(dir, {
      keep: 3,
      onSavePoint: (point) => {
        if (point === 'checkpoint.partsWritten')
          cpSync(join(dir, readdirSync(dir).find((name) => name.startsWith('tmp-')) ?? ''), join(dir, 'tmp-left'), {
            recursive: true,
          });
      },
    });
    await store.save(facts(1), parts(1));
    store.close();
    assert.ok(existsSync(join(dir, 'tmp-left')));
    openCheckpoints(dir, { keep: 3 }).close();
    assert.ok(!existsSync(join(dir, 'tmp-left')));
  });

  test('leaves no half checkpoint when writing fails, and says what to do', async () => {
    const dir = freshDir();
    const store = openCheckpoints(dir, { keep: 3 });
    await store.save(facts(1), parts(1));
    writeFileSync(
      join(dir, `tmp-checkpoint-000000000002-${process.pid}`),
      'a file where the draft directory should go',
    );
    await assert.rejects(store.save(facts(2), parts(2)), { code: 'checkpoint.failed' });
    assert.equal(store.latest(unexpected)?.manifest.step, 1);
    await store.save(facts(3), parts(3));
    assert.equal(store.latest(unexpected)?.manifest.step, 3);
  });
});
