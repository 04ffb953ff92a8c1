import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { acquireLock, isLock } from '../src/process-lock.ts';
import { temporaryDirectory } from './support/command.ts';

const root = temporaryDirectory({ after });
const freshFile = (): string => join(mkdtempSync(join(root, 'lock-')), 'lock');

describe('acquireLock', () => {
  test('has one owner at a time, whose epoch grows', () => {
    const file = freshFile();
    const first = acquireLock(file);
    assert.ok(isLock(first));
    const second = acquireLock(file);
    assert.ok(!isLock(second));
    assert.equal(second.pid, process.pid);
    first.release();
    const third = acquireLock(file, 8);
    assert.ok(isLock(third));
    assert.equal(third.epoch, 9);
    assert.deepEqual(readdirSync(join(file, '..')), ['lock']);
  });

  test('lifts the lock of a killed process and not that of a live one', async () => {
    const file = freshFile();
    const child = spawn(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '--eval',
      `const { acquireLock } = await import(${JSON.stringify(new URL('../src/process-lock.ts', import.meta.url).href)});
       acquireLock(${JSON.stringify(file)}); console.log('locked'); setInterval(() => {}, 1000);`,
    ]);
    await once(child.stdout, 'data');
    const refused = acquireLock(file);
    assert.ok(!isLock(refused));
    assert.equal(refused.pid, child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = acquireLock(file);
    assert.ok(isLock(lock));
    assert.ok(lock.epoch > refused.epoch);
  });

  test('is not fooled by another process with the same pid', () => {
    const file = freshFile();
    const lock = acquireLock(file);
    assert.ok(isLock(lock));
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...owner, startedAt: '1' }));
    assert.equal(lock.isHeld(), false);
    assert.ok(isLock(acquireLock(file)));
  });
});
