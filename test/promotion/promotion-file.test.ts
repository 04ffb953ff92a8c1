import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { CheckpointError } from '../../src/errors.ts';
import type { PromotionState } from '../../src/promotion/gate.ts';
import { readPromotion, writePromotion } from '../../src/promotion/promotion-file.ts';
import { temporaryDirectory } from '../support/command.ts';

const former: Omit<PromotionState, 'servedSinceMs'> = {
  served: 'checkpoint-000000000002',
  previous: 'checkpoint-000000000001',
  isPinned: false,
  heldInARow: 1,
  decisions: {
    'checkpoint-000000000002': {
      action: 'promoted',
      version: 'checkpoint-000000000002',
      other: 'checkpoint-000000000001',
      message: 'not worse',
      recent: null,
      past: null,
      atMs: 4000,
    },
    'checkpoint-000000000003': {
      action: 'held',
      version: 'checkpoint-000000000003',
      other: 'checkpoint-000000000002',
      message: 'worse',
      recent: null,
      past: null,
      atMs: 5000,
    },
  },
};

suite('promotion.json', () => {
  test('is null where there is none yet', (t) => {
    assert.equal(readPromotion(temporaryDirectory(t)), null);
  });

  test('says what was written', async (t) => {
    const dir = temporaryDirectory(t);
    await writePromotion(dir, { ...former, servedSinceMs: 3000 });
    assert.deepEqual(readPromotion(dir), { ...former, servedSinceMs: 3000 });
  });

  test('of a version that did not keep since when: then since it was decided', (t) => {
    const dir = temporaryDirectory(t);
    writeFileSync(join(dir, 'promotion.json'), JSON.stringify(former));
    assert.deepEqual(readPromotion(dir), { ...former, servedSinceMs: 4000 });
  });

  test('that cannot be read is said, with what to do', (t) => {
    const dir = temporaryDirectory(t);
    writeFileSync(join(dir, 'promotion.json'), '{"served":');
    assert.throws(
      () => readPromotion(dir),
      (error) =>
        error instanceof CheckpointError && /promotion\.json: cannot be read .* Remove it to serve/.test(error.message),
    );
  });
});
