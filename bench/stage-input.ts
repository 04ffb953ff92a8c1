import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StageInput } from './stages.ts';
import { schemaText } from './workload.ts';

/** Runs `work` with the files that stages read, in a folder that is gone afterwards; topics are not in it yet. */
export async function withInput<T>(isShort: boolean, work: (input: StageInput, dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const input: StageInput = {
      isShort,
      repetition: isShort ? { warmUps: 0, runs: 1 } : { warmUps: 1, runs: 5 },
      schemaFile: join(dir, 'reading.avsc'),
      logDir: join(dir, 'log'),
      bootstrap: '',
    };
    writeFileSync(input.schemaFile, schemaText);
    return await work(input, dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
