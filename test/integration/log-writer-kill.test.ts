import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { openWriter, readAll, temporaryDirectory, topic, valuesOf } from '../sources/log/logs.ts';

/** A writer that appends numbered batches until it is killed, printing each offset that it was told. */
const endlessWriter = (dir: string): string => `
  import { writeSync } from 'node:fs';
  import { LogWriter } from './src/sources/log/log-writer.ts';
  const writer = await LogWriter.open({ dir: ${JSON.stringify(dir)}, topic: '${topic}', partition: 0, segmentBytes: 50_000 });
  for (;;) {
    const first = writer.nextOffset;
    const records = Array.from({ length: 1 + (first % 300) }, (_, index) => (
      { key: null, value: Buffer.from(String(first + index)), timestampMs: 1_700_000_000_000 + first + index }));
    writer.append(records);
    writeSync(1, writer.nextOffset + '\\n');
  }`;

test('a writer killed ten times leaves no gap and loses nothing that append returned for', async (context) => {
  const dir = temporaryDirectory(context);
  let toldOffset = 0;
  for (let round = 0; round < 10; round += 1) {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', endlessWriter(dir)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // A round ends after a number of appends that differs from round to round.
    const killAfterBytes = 50 + 777 * ((round * 7) % 10);
    let said = '';
    for await (const chunk of child.stdout) {
      said += String(chunk);
      if (said.length >= killAfterBytes) child.kill('SIGKILL');
    }
    const told = said.slice(0, said.lastIndexOf('\n')).split('\n').map(Number);
    assert.ok((told[0] ?? 0) >= toldOffset);
    toldOffset = told.at(-1) ?? toldOffset;
    const values = valuesOf(await readAll(dir));
    assert.ok(values.length >= toldOffset);
    assert.deepEqual(
      values,
      values.map((_, index) => String(index)),
    );
  }
  const writer = await openWriter(dir);
  assert.ok(writer.epoch >= 10);
  writer.close();
});
