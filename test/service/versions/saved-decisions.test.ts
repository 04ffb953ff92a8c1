import assert from 'node:assert/strict';
import { test } from 'node:test';
import { savedDecisions } from '../../../src/service/versions/saved-decisions.ts';
import type { PromotionAction, PromotionDecision } from '../../../src/records.ts';

function decision(action: PromotionAction, version: string, other: string, atMs: number): PromotionDecision {
  return { action, version, other, message: action, recent: null, past: null, atMs };
}

test('savedDecisions: latest first, one about two versions once', () => {
  const state = { served: 'a', servedSinceMs: 3, previous: null, isPinned: false, heldInARow: 1 };
  const back = decision('returned', 'a', 'b', 3);
  const held = decision('held', 'c', 'a', 3);
  const later = decision('held', 'd', 'a', 4);
  const decisions = { a: back, b: { ...back }, c: held, d: later };
  assert.deepEqual(savedDecisions({ ...state, decisions }), [later, back, held]);
  assert.deepEqual(savedDecisions(null), []);
});
