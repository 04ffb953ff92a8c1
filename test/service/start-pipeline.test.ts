import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Subject } from 'rxjs';
import { startPipeline } from '../../src/service/start-pipeline.ts';
import type { Config } from '../../src/config/config.ts';
import { configOf } from '../../src/config/load.ts';
import { CheckpointError, ConfigError, SourceError } from '../../src/errors.ts';
import { rowSource } from '../../src/sources/rows/row-source.ts';
import { temporaryDirectory, until, type Cleanup } from '../support/command.ts';

const lineConfig = (t: Cleanup): Config =>
  configOf({
    name: 'line',
    source: { program: { topic: 'points' } },
    features: ['x'],
    target: 'y',
    batch: { rows: 8 },
    checkpoint: { dir: temporaryDirectory(t) },
    http: { port: 0 },
  });

test('close learns and saves what was read, and may be called again', async (t) => {
  const config = lineConfig(t);
  const points = new Subject<object>();
  const running = await startPipeline({ config, source: (context) => rowSource(() => points, context) });
  for (let x = 0; x < 20; x += 1) points.next({ x, y: 2 * x });
  const isRead = async (): Promise<boolean> =>
    /^millrace_records_read_total\b.* 20$/m.test(await (await fetch(`${running.url}/metrics`)).text());
  await until(isRead, 'all points are read');
  await Promise.all([running.close(), running.close()]);
  const { records, steps } = await running.ended;
  assert.deepEqual([records.read, records.trained, records.pending, steps], [20, 16, 4, 2]);
});

test('a failing source rejects `ended` alone, and the state may be used again after close', async (t) => {
  const config = lineConfig(t);
  const broken = (): AsyncIterable<object> => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('the bus is gone')) }),
  });
  const failing = await startPipeline({ config, source: (context) => rowSource(broken, context) });
  await assert.rejects(failing.ended, (error) => error instanceof SourceError && /the bus is gone/.test(error.message));
  const start = (rows: readonly object[]) =>
    startPipeline({ config, source: (context) => rowSource(() => rows, context) });
  await assert.rejects(start([]), CheckpointError, 'its state is still in use');
  await failing.close();
  const again = await start([{ x: 1, y: 2 }]);
  assert.equal((await again.ended).records.read, 1);
  await again.close();
});

test('a configuration that leaves the source to the program needs one', async (t) => {
  const isTold = (error: unknown): boolean => error instanceof ConfigError && /source\.program/.test(error.message);
  await assert.rejects(startPipeline({ config: lineConfig(t) }), isTold);
});
