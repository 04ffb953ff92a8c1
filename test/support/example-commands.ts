import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './command.ts';

/** The commands that an example's README tells a user to type, without `npx millrace`. */
export function commandsOf(example: string): string[][] {
  const text = readFileSync(join(projectRoot, 'examples', example, 'README.md'), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([^`]*)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const words = line.split(/\s+/);
        assert.deepEqual(words.slice(0, 2), ['npx', 'millrace'], line);
        return words.slice(2);
      }),
  );
}
