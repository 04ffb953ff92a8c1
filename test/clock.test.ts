import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { wallClock } from '../src/clock.ts';

suite('wallClock', () => {
  test('does not wait for what is past', async () => {
    await wallClock.waitUntil(wallClock.now() - 1, new AbortController().signal);
  });

  test('waits no longer than the signal allows', async () => {
    const abort = new AbortController();
    const waiting = wallClock.waitUntil(wallClock.now() + 1e12, abort.signal);
    abort.abort();
    await waiting;
  });

  test('resolves when the time has come', async () => {
    const timeMs = wallClock.now() + 5;
    await wallClock.waitUntil(timeMs, new AbortController().signal);
    assert.ok(wallClock.now() >= timeMs);
  });
});
