import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommand, temporaryDirectory } from '../support/command.ts';

test('rules writes both files, with the objectives and the link asked for', async (t) => {
  const out = join(temporaryDirectory(t), 'new', 'monitoring');
  const link = 'https://wiki.example/runbook';
  const asked = ['--freshness', '5m', '--silence', '2h', '--runbook', link];
  const { code, stdout } = await runCommand(['rules', '--out', out, ...asked]);
  assert.equal(code, 0);
  const files = ['millrace.rules.yml', 'millrace.inhibit.yml'].map((name) => join(out, name));
  assert.equal(stdout, `${files.join('\n')}\n`);
  const [rules = '', inhibitions = ''] = files.map((file) => readFileSync(file, 'utf8'));
  assert.match(rules, /millrace_lag_seconds > bool 300\)/);
  assert.match(rules, /alert: MillraceSourceSilent\n.*\n +for: 120m\n/);
  assert.match(rules, /runbook_url: https:\/\/wiki\.example\/runbook#millracesourcesilent\n/);
  assert.match(inhibitions, /^inhibit_rules:$/m);
});

test('rules refuses what is no duration', async (t) => {
  const { code, stderr } = await runCommand(['rules', '--out', temporaryDirectory(t), '--silence', 'long']);
  assert.equal(code, 2);
  assert.match(stderr, /--silence .*'long' is invalid\. expected a duration such as 200ms, 30s, 10m, 1h or 7d/);
});
