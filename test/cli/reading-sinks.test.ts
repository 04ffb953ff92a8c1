import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ConfigError, SourceError } from '../../src/errors.ts';
import { logSink } from '../../src/cli/reading-sinks.ts';
import { temporaryDirectory } from '../support/command.ts';

const record = { key: null, value: Buffer.from('v'), timestampMs: 1000 };

suite('logSink', () => {
  test('makes a topic of one partition, or as many as asked for, and goes on where it ends', async (t) => {
    const dir = temporaryDirectory(t);
    const one = await logSink({ dir, topic: 'one' });
    assert.deepEqual([one.partitions, await one.nextOffsets()], [1, [0]]);
    await one.close();
    const three = await logSink({ dir, topic: 'three', partitions: 3 });
    await three.append(new Map([[1, [record, record]]]));
    await three.close();
    const again = await logSink({ dir, topic: 'three' });
    assert.deepEqual([again.partitions, await again.nextOffsets()], [3, [0, 2, 0]]);
    await again.close();
  });

  test('completes a topic that was half made when a run was killed', async (t) => {
    const dir = temporaryDirectory(t);
    await (await logSink({ dir, topic: 't', partitions: 2 })).close();
    const whole = await logSink({ dir, topic: 't', partitions: 4 });
    assert.deepEqual(await whole.nextOffsets(), [0, 0, 0, 0]);
    await whole.close();
  });

  test('refuses another number of partitions where there are records, and leaves no lock behind', async (t) => {
    const dir = temporaryDirectory(t);
    const sink = await logSink({ dir, topic: 't', partitions: 2 });
    await sink.append(new Map([[0, [record]]]));
    await sink.close();
    for (const partitions of [1, 3]) {
      await assert.rejects(logSink({ dir, topic: 't', partitions }), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, new RegExp(`--partitions: ${partitions} asked for, but t has 2`));
        return true;
      });
    }
    const again = await logSink({ dir, topic: 't' });
    assert.equal(again.partitions, 2, 'a refusal changes nothing');
    await again.close();
  });

  test('refuses a topic that somebody else writes to', async (t) => {
    const dir = temporaryDirectory(t);
    const sink = await logSink({ dir, topic: 't' });
    await assert.rejects(logSink({ dir, topic: 't' }), (error) => {
      assert.ok(error instanceof SourceError);
      assert.equal(error.code, 'log.locked');
      return true;
    });
    await sink.close();
  });
});
