import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { millraceClient, type MillraceError } from '../../src/client.ts';
import { PromotionError } from '../../src/errors.ts';
import type { VersionControl, VersionList } from '../../src/serving/version-control.ts';
import { httpParts, serverOf } from './http-parts.ts';
import { SimulatedRun } from './simulated-run.ts';

const version = 'checkpoint-000000000002';

function listOf(isPinned: boolean): VersionList {
  const listed = { id: version, step: 20, savedAt: '2026-01-01T00:00:00.000Z', positions: { 'readings:0': 320 } };
  const comparison = { rows: 400, loss: 1.5, otherLoss: 1, change: 0.5, atLeast: 0.4, atMost: 0.6 };
  const decision = { action: 'held', version, other: 'checkpoint-000000000001', message: 'worse', atMs: 1 } as const;
  const scores = { mae: 1.25, r2: null };
  return {
    served: version,
    previous: null,
    isPinned,
    heldInARow: 1,
    versions: [
      { ...listed, scores, isServed: true, isPinned, decision: { ...decision, recent: comparison, past: null } },
    ],
  };
}

/** Notes what it is asked for. */
class Control implements VersionControl {
  readonly asked: string[] = [];

  list(): VersionList {
    return listOf(false);
  }

  pin(id: string): Promise<VersionList> {
    this.asked.push(`pin ${id}`);
    return Promise.resolve(listOf(true));
  }

  unpin(): Promise<VersionList> {
    this.asked.push('unpin');
    return Promise.resolve(listOf(false));
  }

  rollBack(): Promise<VersionList> {
    return Promise.reject(new PromotionError('promotion.refused', 'no version was served before this one'));
  }
}

const rejectedWith = (status: number, message: RegExp) => (error: MillraceError) =>
  error.status === status && message.test(error.message);

suite('/v1/models', () => {
  test('lists and changes versions for whoever has the token, and for nobody else', async (t) => {
    const control = new Control();
    const parts = httpParts(new SimulatedRun(0), { versions: () => control });
    const { url } = await serverOf(t, parts, { token: 'secret' });
    const stranger = millraceClient({ url });
    assert.deepEqual(await stranger.versions(), listOf(false), 'looking is free');
    await assert.rejects(stranger.pin(version), rejectedWith(401, /needs the bearer token/));
    await assert.rejects(millraceClient({ url, token: 'guess' }).unpin(), rejectedWith(401, /bearer/));
    assert.deepEqual(control.asked, []);
    const operator = millraceClient({ url, token: 'secret' });
    assert.deepEqual(await operator.pin(version), listOf(true));
    assert.deepEqual(await operator.unpin(), listOf(false));
    assert.deepEqual(control.asked, [`pin ${version}`, 'unpin']);
    await assert.rejects(operator.rollBack(), rejectedWith(409, /^no version was served before this one$/));
  });

  test('says what is wrong with a request', async (t) => {
    const { url } = await serverOf(t, httpParts(new SimulatedRun(0), { versions: () => new Control() }));
    for (const body of ['{}', 'null', '[]', '{"version":7}', '"checkpoint-000000000002"']) {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/v1/models/pin`, { method: 'POST', headers, body });
      assert.equal(answer.status, 400, body);
      assert.match(((await answer.json()) as { error: string }).error, /^version: expected the id of a version/);
    }
    const bare = await fetch(`${url}/v1/models/unpin`, { method: 'POST' });
    assert.equal(bare.status, 200, 'needs no body');
  });

  test('asks to come again while the pipeline does not stand', async (t) => {
    const { url } = await serverOf(t);
    const answer = await fetch(`${url}/v1/models`);
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '5']);
  });
});
