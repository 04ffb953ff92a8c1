import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { RecordBlock } from '../../../src/records.ts';
import { Credit } from '../../../src/sources/credit.ts';
import { LogWriter, type LogWriterOptions } from '../../../src/sources/log/log-writer.ts';
import { logSource } from '../../../src/sources/log/log-source.ts';
import type { LogSourceOptions } from '../../../src/sources/log/log-source-options.ts';
import type { LogRecord } from '../../../src/sources/record-batch/encode-batch.ts';
import { silentTelemetry, type Telemetry, type TelemetryEvent } from '../../../src/telemetry.ts';

export const topic = 'readings';

/** A directory of its own, removed after the test. */
export function temporaryDirectory(context: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  context.after(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

export function openWriter(dir: string, options: Partial<LogWriterOptions> = {}): Promise<LogWriter> {
  return LogWriter.open({ dir, topic, partition: 0, ...options });
}

/** Records `first` to before `end`, a second apart. */
export function numbered(first: number, end: number): LogRecord[] {
  return Array.from({ length: end - first }, (_, index) => ({
    key: null,
    value: Buffer.from(String(first + index)),
    timestampMs: 1_700_000_000_000 + 1000 * (first + index),
  }));
}

/** A closed log of one partition with `batches` batches of 10 records. */
export async function writeLog(dir: string, batches: number, options: Partial<LogWriterOptions> = {}): Promise<void> {
  const writer = await openWriter(dir, options);
  for (let batch = 0; batch < batches; batch += 1) writer.append(numbered(batch * 10, batch * 10 + 10));
  writer.close();
}

/** Puts a segment into the log as it stands. */
export function writeSegment(dir: string, partition: number, baseOffset: number, bytes: Buffer): string {
  const directory = join(dir, `${topic}-${partition}`);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${String(baseOffset).padStart(20, '0')}.log`);
  writeFileSync(file, bytes);
  return file;
}

export function sourceOptions(dir: string, options: Partial<LogSourceOptions> = {}): LogSourceOptions {
  return {
    dir,
    topic,
    start: 'earliest',
    onOutOfRange: 'stop',
    credit: new Credit(1 << 30),
    positions: [],
    isBounded: true,
    connectTimeoutMs: 200,
    pollMs: 20,
    ...options,
  };
}

/** All blocks of a bounded reading, released as they come. */
export function readAll(
  dir: string,
  options: Partial<LogSourceOptions> = {},
  telemetry: Telemetry = silentTelemetry,
): Promise<RecordBlock[]> {
  const blocks: RecordBlock[] = [];
  return new Promise((resolve, reject) => {
    logSource(sourceOptions(dir, options), telemetry).blocks.subscribe({
      next: (block) => {
        blocks.push(block);
        block.release();
      },
      error: reject,
      complete: () => {
        resolve(blocks);
      },
    });
  });
}

export function valuesOf(blocks: readonly RecordBlock[]): string[] {
  return blocks.flatMap((block) =>
    Array.from({ length: block.recordCount }, (_, index) => {
      const start = block.valueStarts[index]!;
      return block.bytes.toString('utf8', start, start + block.valueLengths[index]!);
    }),
  );
}

export function offsetsOf(blocks: readonly RecordBlock[]): number[] {
  return blocks.flatMap((block) => [...block.offsets]);
}

export function recordingTelemetry(): Telemetry & { readonly events: TelemetryEvent[] } {
  const events: TelemetryEvent[] = [];
  return { events, emit: (event) => events.push(event) };
}
