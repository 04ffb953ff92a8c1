import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { parse } from 'yaml';
import { projectRoot } from '../support/command.ts';
import { checkCommand, checkMention, type Page } from '../support/docs/command-checks.ts';
import { passagesOf, type Passage } from '../support/docs/fences.ts';
import { simpleCommands, type Words } from '../support/docs/shell-commands.ts';

const pages = ['.', 'docs', 'docs/adr', 'docs/how-to', 'deploy', 'examples/*', 'src/trainer/graph']
  .flatMap((folder) => (folder.endsWith('/*') ? foldersIn(folder.slice(0, -2)) : [folder]))
  .flatMap((folder) =>
    readdirSync(join(projectRoot, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );

/** What a fence may hold besides `sh` and `yaml`, which is Millrace's own; `yml` is that of others. */
const others = ['diff', 'js', 'json', 'mermaid', 'python', 'text', 'ts', 'yml'];

/** Programs whose mention in prose is checked as well. */
const mentioned = ['docker', 'node', 'npm', 'npx', 'millrace'];

test('a block is taken apart into its commands as a shell does', () => {
  const text = `A=1 x 'a b' "$(y 'z w' | q)" > out 2>&1 && p \\\n  --r # s\n(umask 077; t)`;
  const expected = [['x', 'a b', "$(y 'z w' | q)"], ['p', '--r'], ['umask', '077'], ['t'], ['y', 'z w'], ['q']];
  assert.deepEqual(simpleCommands(text), expected);
});

describe('what documents say', () => {
  for (const page of pages) {
    test(`${page}: its commands are right, its configurations valid, its links go somewhere`, async () => {
      const shown: string[] = [];
      const known: Page = { hasFile: (name) => shown.includes(name) || existsSync(join(projectRoot, name)) };
      for (const passage of passagesOf(page)) {
        const [kind, name] = passage.info?.split(' ') ?? [];
        try {
          if (kind === undefined) await checkProse(passage, page);
          else if (kind === 'sh') shown.push(...(await checkShell(passage, known)));
          else if (kind === 'yaml') checkConfiguration(passage, name);
          else assert.ok(others.includes(kind), `a fence of ${kind === '' ? 'nothing' : kind}`);
        } catch (error) {
          throw new Error(`${passage.place}: ${String(error)}\n${passage.text}`, { cause: error });
        }
        if (kind === 'yaml' && name !== undefined) shown.push(name);
      }
    });
  }
});

function foldersIn(folder: string): string[] {
  return readdirSync(join(projectRoot, folder)).map((name) => join(folder, name));
}

/** Returns the files that the commands write. */
async function checkShell({ text }: Passage, page: Page): Promise<string[]> {
  const { stderr } = spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' });
  assert.equal(stderr, '');
  const written: string[] = [];
  for (const words of simpleCommands(text)) {
    await checkCommand(words, { hasFile: (name) => written.includes(name) || page.hasFile(name) });
    written.push(...filesWrittenBy(words));
  }
  return written;
}

/** `millrace init` writes a configuration: `--out`, or the name of the topic or file. */
function filesWrittenBy(words: Words): string[] {
  if (!words.includes('init')) return [];
  const optionOf = (name: string): string | undefined => words[words.indexOf(name) + 1 || words.length];
  const topic = optionOf('--name') ?? optionOf('--topic') ?? optionOf('--file')?.replace(/^.*\/|\.csv(\.gz)?$/g, '');
  return [optionOf('--out') ?? `${topic}.yaml`];
}

/** With a file name it is a whole configuration, without one a part of one. */
function checkConfiguration({ text, place }: Passage, name: string | undefined): void {
  const environment = Object.fromEntries(
    [...text.matchAll(/\$\{(\w+)\}/g)].map(([, variable = '']) => [variable, 'x']),
  );
  if (name !== undefined) {
    parseConfig(text, place, environment);
    return;
  }
  const part = parse(text) as object;
  parseConfig(JSON.stringify({ ...smallest, ...part }), place, environment);
}

const smallest = {
  name: 'fleet',
  source: { kafka: { brokers: ['localhost:9092'], topics: ['readings'] } },
  decode: 'json',
  features: ['load'],
  target: 'power',
};

async function checkProse({ text }: Passage, page: string): Promise<void> {
  for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g))
    assert.ok(existsSync(join(projectRoot, dirname(page), target)), `the link to ${target} goes nowhere`);
  for (const [, span = ''] of text.replaceAll(/\n\s*/g, ' ').matchAll(/`([^`]+)`/g)) {
    const words = span.split(' ');
    const [program = '', ...rest] = words[0] === 'npx' ? words.slice(1) : words;
    if (!mentioned.includes(program) || rest.length === 0) continue;
    if (program === 'millrace') await checkMention(rest);
    else await checkCommand(words, { hasFile: (name) => existsSync(join(projectRoot, name)) });
  }
}
