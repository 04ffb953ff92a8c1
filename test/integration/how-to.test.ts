import assert from 'node:assert/strict';
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cloneCheckout, projectRoot, temporaryDirectory } from '../support/command.ts';
import { typeTutorial } from '../support/docs/tutorial.ts';

/** Those that need no server. */
const guides = [
  'change-and-move-a-pipeline',
  'choose-features-and-a-target',
  'handle-dead-letters',
  'predict-a-class',
  'replay-history-then-follow',
  'tune',
  'watch-with-grafana',
];

/** `test/docs/commands.test.ts` checks the commands of these; `examples.test.ts` runs the layers example. */
const checkedOnly = ['bring-your-own-model', 'score-a-topic', 'secure-http-and-kafka'];

test('each guide is typed in, or known not to be', () => {
  const pages = readdirSync(join(projectRoot, 'docs/how-to')).filter((name) => name !== 'README.md');
  const named = [...guides, ...checkedOnly].map((name) => `${name}.md`);
  assert.deepEqual(pages.sort(), named.sort());
});

describe('typed in as written, does what it says:', () => {
  for (const guide of guides) {
    test(guide, async (t) => {
      const dir = temporaryDirectory(t);
      const cwd = join(dir, 'millrace');
      cloneCheckout(cwd);
      symlinkSync(join(projectRoot, 'node_modules'), join(cwd, 'node_modules'));
      // The native backend of this machine is not every reader's.
      await typeTutorial(`docs/how-to/${guide}.md`, { cwd, env: { MILLRACE_CACHE: dir }, shell: ['env'] });
    });
  }
});
