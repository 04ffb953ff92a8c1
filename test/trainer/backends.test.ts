import assert from 'node:assert/strict';
import { it } from 'node:test';
import { backendNames, likelyBackend, listBackends, useBackend } from '../../src/trainer/backends.ts';

it('every engine is listed with a step time or the reason why it does not work here', async () => {
  const reports = await listBackends();
  assert.deepEqual(
    reports.map(({ name }) => name),
    backendNames,
  );
  for (const { available, reason, device, stepMs } of reports) {
    assert.equal(reason === '', available);
    assert.equal(device !== '', available);
    assert.deepEqual(Object.keys(stepMs), available ? ['32', '1024'] : []);
    assert.ok(Object.values(stepMs).every((milliseconds) => milliseconds > 0));
  }
  assert.ok(reports.every(({ name, available }) => available || name === 'tensorflow' || name === 'webgpu'));
});

it('auto takes the first that passes its self-test and says why the better ones did not', async () => {
  const { name, refused } = await useBackend('auto');
  assert.deepEqual(
    refused.map((each) => each.name),
    backendNames.slice(0, backendNames.indexOf(name)),
  );
  assert.ok(refused.every(({ reason }) => reason.length > 10));
  assert.deepEqual(likelyBackend('auto'), { name, refused });
  assert.deepEqual(likelyBackend('cpu'), { name: 'cpu', refused: [] });
});
