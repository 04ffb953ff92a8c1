import assert from 'node:assert/strict';
import { it } from 'node:test';
import { backendNames, likelyBackend, listBackends, useBackend } from '../../src/trainer/backends.ts';
import { webgpuEngine } from '../../src/trainer/webgpu-engine.ts';
import { withoutNativeBuild } from '../support/native-build.ts';
import { engines } from './engines.ts';

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

it('auto takes the first that suits and passes its self-test, and says why not the better ones', async () => {
  const { name, device, refused } = await useBackend('auto');
  assert.notEqual(device, '');
  assert.deepEqual(
    refused.map((each) => each.name),
    backendNames.slice(0, backendNames.indexOf(name)),
  );
  assert.ok(refused.every(({ reason }) => reason.length > 10));
  assert.deepEqual(likelyBackend('auto'), { name, device: '', refused, eager: [] });
  assert.deepEqual(likelyBackend('cpu'), { name: 'cpu', device: '', refused: [], eager: [] });
});

it('auto takes webgpu on a real GPU only, and for large nets only', { skip: !engines.includes('webgpu') }, async () => {
  const { isSoftware } = await webgpuEngine();
  await withoutNativeBuild(async () => {
    const small = await useBackend('auto', 1e6);
    assert.equal(small.name, 'wasm');
    assert.match(small.refused[1]!.reason, /^slower than the CPU for nets this small/);
    const large = await useBackend('auto', 1e9);
    assert.equal(large.name, isSoftware ? 'wasm' : 'webgpu');
    if (isSoftware) assert.match(large.refused[1]!.reason, / is not a GPU; "backend: webgpu" takes it$/);
  });
});
