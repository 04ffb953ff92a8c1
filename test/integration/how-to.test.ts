import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cloneCheckout, projectRoot, temporaryDirectory } from '../support/command.ts';
import { typeTutorial } from '../support/docs/tutorial.ts';

/** Those that need no server. `test/docs/commands.test.ts` checks the commands of the others, and `examples.test.ts` runs the layers example. */
const guides = [
  'choose-features-and-a-target',
  'predict-a-class',
  'replay-history-then-follow',
  'handle-dead-letters',
  'change-and-move-a-pipeline',
  'watch-with-grafana',
  'tune',
];

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
