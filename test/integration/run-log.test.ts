import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { documentOf, runForDocument, runPython, startCommand, temporaryDirectory, until } from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
import {
  fleetPipeline,
  inspectNewest,
  metricOf,
  pageOf,
  produceFleet,
  runOnce,
  type TopicDocument,
} from '../support/kafka/kafka-fleet.ts';
import { missing } from '../support/requirements.ts';

const recordCount = 200_000;
const topic = 'readings';
const allTrained = { read: recordCount, trained: recordCount, rejected: 0, filtered: 0, unlabelled: 0, pending: 0 };

describe('run over an embedded log of four partitions', { skip: missing('python3') ?? false }, () => {
  test('learns each record exactly once, as an independent reader counts them, bounded and as a service', async (t) => {
    const dir = temporaryDirectory(t);
    const log = join(dir, 'log');
    const source = { log: { dir: log, topic } };
    await runForDocument(produceFleet(dir, ['--log', log, '--topic', topic, '--partitions', '4'], recordCount));
    const expected = (await runPython('log_ledger.py', [log, topic, '4'])) as TopicDocument;
    assert.deepEqual([expected.count, expected.distinct], [recordCount, recordCount]);
    assert.equal(Object.keys(expected.ledger).length, 4);

    const once = fleetPipeline(dir, 'once', source);
    const summary = await runOnce(once);
    assert.deepEqual(summary.records, allTrained);
    assert.deepEqual(summary.positions, expected.ends);
    const newest = await inspectNewest(once);
    assert.deepEqual(newest.ledger, expected.ledger);
    assert.deepEqual(newest.records, allTrained);

    const service = fleetPipeline(dir, 'service', source);
    const command = startCommand(['run', service.file, '--json']);
    const url = await pageOf(command);
    await until(
      async () => (await metricOf(url, 'millrace_lifetime_records'))['{outcome="trained"}'] === recordCount,
      'everything is learned',
    );
    assert.deepEqual(await metricOf(url, 'millrace_records_read_total'), { '': recordCount });
    assert.deepEqual(Object.values(await metricOf(url, 'millrace_lag_records')), [0, 0, 0, 0]);
    command.kill('SIGTERM');
    assert.deepEqual((documentOf(await command.ended) as RunDocument).records, allTrained);
    const saved = await inspectNewest(service);
    assert.deepEqual(saved.ledger, expected.ledger);
    assert.deepEqual(saved.positions, expected.ends);
  });
});
