import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logSource } from '../../../src/sources/log/log-source.ts';
import { LogWriter } from '../../../src/sources/log/log-writer.ts';
import { Credit } from '../../../src/sources/credit.ts';
import { silentTelemetry } from '../../../src/telemetry.ts';
import { sourceContract } from '../../contracts/source-contract.ts';
import { sourceOptions, topic } from './logs.ts';

const partitionCount = 3;

sourceContract('logSource', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-contract-'));
  const writers: LogWriter[] = [];
  for (let partition = 0; partition < partitionCount; partition += 1) {
    writers.push(await LogWriter.open({ dir, topic, partition, segmentBytes: 20_000 }));
  }
  return {
    topic,
    partitionCount,
    canFollow: true,
    write(records) {
      for (let first = 0; first < records.length; first += 700) {
        const part = records.slice(first, first + 700);
        writers.forEach((writer, partition) => {
          const own = part.filter((record) => record.partition === partition);
          if (own.length === 0) return;
          writer.append(own.map(({ value, timestampMs }) => ({ key: null, value: Buffer.from(value), timestampMs })));
        });
      }
      return Promise.resolve();
    },
    make: ({ creditBytes, ...options }) =>
      logSource(sourceOptions(dir, { ...options, credit: new Credit(creditBytes) }), silentTelemetry),
    cleanup() {
      for (const writer of writers) writer.close();
      rmSync(dir, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
});
