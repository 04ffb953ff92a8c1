import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot, runCommand, runForDocument, temporaryDirectory } from '../support/command.ts';
import { readCurves } from '../support/curves.ts';
import type { RunDocument } from '../support/documents.ts';
import { missing } from '../support/requirements.ts';

function pipeline(dir: string, curves: string): string {
  const file = join(dir, 'pipeline.yaml');
  const document = {
    name: 'housing',
    source: { csv: { file: join(projectRoot, 'examples/housing/housing.csv') } },
    features: ['area', 'rooms'],
    target: 'price',
    batch: { rows: 16 },
    checkpoint: { dir: join(dir, 'state') },
    http: { port: 0 },
    tensorboard: { dir: curves },
  };
  writeFileSync(file, JSON.stringify(document));
  return file;
}

test('TensorBoard reads the curves of a run', { skip: missing('python-packages') ?? false }, async (t) => {
  const dir = temporaryDirectory(t);
  const curves = join(dir, 'curves');
  const run = await runForDocument(['run', pipeline(dir, curves), '--once', '--json']);
  const { records } = run as RunDocument;
  const { '.': whole, main, baseline } = await readCurves(curves);
  assert.equal(main?.['loss']?.at(-1)?.[0], records.trained);
  assert.ok((main['score/mae']?.at(-1)?.[1] ?? 0) > 0);
  assert.ok((baseline?.['score/mae']?.at(-1)?.[1] ?? 0) > 0);
  assert.ok((whole?.['rows_learned_per_second']?.at(-1)?.[1] ?? 0) > 0);
});

test('a folder that cannot be written is a warning, and the run goes on', async (t) => {
  const dir = temporaryDirectory(t);
  const file = join(dir, 'taken');
  writeFileSync(file, '');
  const { code, stderr } = await runCommand(['run', pipeline(dir, file), '--once']);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /tensorboard\.dir .*taken: .*; no more curves are written until the next start/);
});
