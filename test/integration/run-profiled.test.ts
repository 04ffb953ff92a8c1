import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingNative } from '../../src/trainer/native-build.ts';
import { documentOf, projectRoot, startProcess, temporaryDirectory } from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';

const epochs = 300;

test('a CPU profile may be taken of a run on the tensorflow backend', { skip: missingNative() ?? false }, async (t) => {
  const dir = temporaryDirectory(t);
  const file = join(dir, 'pipeline.yaml');
  const document = {
    name: 'housing',
    source: { csv: { file: join(projectRoot, 'examples/housing/housing.csv'), epochs } },
    features: ['area', 'rooms'],
    target: 'price',
    batch: { rows: 256 },
    models: { main: { mlp: { hidden: [64, 64] } } },
    backend: 'tensorflow',
    checkpoint: { dir: join(dir, 'state') },
    http: { port: 0 },
  };
  writeFileSync(file, JSON.stringify(document));
  const profiled = ['--cpu-prof', '--cpu-prof-interval', '100', '--cpu-prof-dir', dir];
  const run = startProcess(process.execPath, [...profiled, 'bin/millrace.js', 'run', file, '--once', '--json']);
  const { records } = documentOf(await run.ended) as RunDocument;
  assert.equal(records.trained, 500 * epochs);
});
