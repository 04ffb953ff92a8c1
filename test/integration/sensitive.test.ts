import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import pino from 'pino';
import { startService } from '../../src/service/service.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { PipelineStatus } from '../../src/serving/status.ts';
import { temporaryDirectory } from '../support/command.ts';

/** Digits that every heart rate begins with, and no other number has in it. */
const secret = '7193';

/** Readings of five patients; a few cannot be used, each in its own way. */
function readings(): string {
  const rows = Array.from({ length: 1200 }, (_, n) => {
    const heart = `${secret}${n % 10}`;
    if (n === 400) return `p${n % 5},warm,${heart},${n % 3}`;
    if (n === 500) return `p${n % 5},20,${secret}x,${n % 3}`;
    if (n === 600) return `p${n % 5},20,${heart},${n % 3},${heart}`;
    return `p${n % 5},${20 + (n % 7)},${heart},${n % 3}`;
  });
  return ['patient,temp,heart,dose', ...rows].join('\n');
}

async function statusFrom(url: string): Promise<{ readonly text: string; readonly status: PipelineStatus }> {
  const reader = (await fetch(`${url}/events`)).body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!/\ndata: .*\n\n/.test(text)) text += (await reader.read()).value ?? '';
  await reader.cancel();
  return { text, status: JSON.parse(/\ndata: (.*)\n\n/.exec(text)![1]!) as PipelineStatus };
}

test('nothing that the page is told holds a value of a sensitive field; the dead letters do', async (t) => {
  const dir = temporaryDirectory(t);
  const [data, file, state] = [join(dir, 'patients.csv'), join(dir, 'patients.yaml'), join(dir, 'state')];
  writeFileSync(data, readings());
  const settings = {
    name: 'patients',
    source: { csv: { file: data, columns: { temp: 'number', heart: 'number' } } },
    key: 'patient',
    features: { temp: {}, heart: { sensitive: true }, before: { field: 'heart', as: 'lag', rows: 1 } },
    target: 'dose',
    batch: { rows: 16 },
    checkpoint: { dir: state, every: '20 steps' },
    http: { port: 0 },
  };
  writeFileSync(file, JSON.stringify(settings));
  const { config } = loadConfig(file);
  const service = await startService({ config, isBounded: true, isFresh: false, logger: pino({ level: 'silent' }) });
  t.after(() => service.close());
  await service.ended;
  const { text, status } = await statusFrom(service.url);
  assert.ok(!text.includes(secret), text.slice(Math.max(0, text.indexOf(secret) - 200), text.indexOf(secret) + 50));
  assert.deepEqual(
    status.deadLetters.latest.map(({ reason, preview, detail }) => [reason, preview, detail]),
    [
      ['csv.invalid', '19 bytes, withheld: not decodable, and some fields are sensitive', ''],
      ['field.type', '{"patient":"p0","temp":"20","heart":"•••","dose":"2"}', 'heart: •••'],
      ['field.type', '{"patient":"p0","temp":"warm","heart":"•••","dose":"1"}', 'temp: "warm"'],
    ],
  );
  assert.deepEqual(
    status.features?.list.map(({ name, isSensitive, bins }) => [name, isSensitive, bins.length > 0]),
    [
      ['temp', false, true],
      ['heart', true, false],
      ['before', true, false],
    ],
  );
  assert.equal(status.serving?.served.id, status.checkpoints[0]?.id);
  const letters = readFileSync(join(state, 'dead-letters.jsonl'), 'utf8').trim().split('\n');
  const values = letters.map((line) => (JSON.parse(line) as { value: string }).value);
  assert.ok(values.every((value) => Buffer.from(value, 'base64').toString().includes(secret)));
});
