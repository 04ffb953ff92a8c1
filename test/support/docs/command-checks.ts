import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { commandLine } from '../../../src/cli/main.ts';
import { projectRoot } from '../command.ts';
import type { Words } from './shell-commands.ts';

/** What is known where a command stands. */
export interface Page {
  /** Whether there is such a file, in the repository or among those that the page has shown before. */
  readonly hasFile: (name: string) => boolean;
}

type Check = (args: Words, page: Page) => void | Promise<void>;

const textOf = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');
const { scripts, peerDependencies } = JSON.parse(textOf('package.json')) as Readonly<
  Record<'scripts' | 'peerDependencies', Readonly<Record<string, string>>>
>;
const compose = parse(textOf('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, { readonly ports?: readonly string[] }>>;
};
const routes = [...textOf('docs/http.md').matchAll(/^\| `(GET|POST) (\S+)`/gm)].map(([, method, path = '']) => ({
  method,
  path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** Nothing of ours is in what these are told. */
const general = [
  'cat',
  'cd',
  'cp',
  'echo',
  'grep',
  'head',
  'ls',
  'mkdir',
  'openssl',
  'printf',
  'rm',
  'sort',
  'umask',
  'uniq',
];

/** How the commands of each program are held against what there is. A program that is not here fails. */
const checks: Readonly<Record<string, Check>> = {
  ...Object.fromEntries(general.map((name): [string, Check] => [name, () => undefined])),
  npx: ([program = '', ...args], page) => checkCommand([program, ...args], page),
  millrace: checkMillrace,
  npm: checkNpm,
  node: checkNode,
  sh: ([script = ''], page) => {
    hasFile(script, page);
  },
  docker: checkDocker,
  curl: checkCurl,
  kubectl: checkKubectl,
  install: (args, page) => {
    const [source = ''] = args.filter((word, index) => !word.startsWith('-') && args[index - 1] !== '-m');
    hasFile(source, page);
  },
  systemctl: (args) => {
    for (const unit of args.filter((word) => !/^(-|daemon-reload|enable|restart|status)/.test(word)))
      assert.ok(existsSync(join(projectRoot, 'deploy/systemd', `${unit}.service`)), `there is no unit ${unit}`);
  },
};

/**
 * Holds a command against what there is: options of `millrace`, scripts of npm, files, services of Compose, routes.
 * @throws AssertionError that says what there is not, or that nobody knows how to check such a command.
 */
export async function checkCommand([program = '', ...args]: Words, page: Page): Promise<void> {
  const check = checks[program];
  assert.ok(check !== undefined, `${program}: say in command-checks.ts what there is to check`);
  await check(args, page);
}

/** A whole command line of millrace, parsed by the program itself; configurations and replayed files exist. */
async function checkMillrace(args: Words, page: Page): Promise<void> {
  const program = await commandLine(() => true);
  let files: Words = [];
  onEach(program, (command) => {
    command.exitOverride().configureOutput({ writeErr: (text) => assert.fail(text) });
    command.action(() => {
      const { csv, file } = command.opts<{ csv?: string; file?: string }>();
      const config = command.registeredArguments[0]?.name() === 'config' ? command.args.slice(0, 1) : [];
      files = [...config, csv, file].filter((name) => name !== undefined);
    });
  });
  await program.parseAsync(args, { from: 'user' });
  for (const file of files) hasFile(file, page);
}

function onEach(command: Command, change: (command: Command) => void): void {
  if (command.parent !== null) change(command);
  for (const inner of command.commands) onEach(inner, change);
}

/** A mention in prose may leave out what is required, or name any COMMAND: the command exists, and its options. */
export async function checkMention([name = '', ...rest]: Words): Promise<void> {
  if (name === 'COMMAND' || name.startsWith('-')) return;
  const program = await commandLine((wanted) => wanted === name);
  const command = program.commands.find((known) => known.name() === name);
  assert.ok(command !== undefined, `there is no command ${name}`);
  const inner = command.commands.find((known) => known.name() === rest[0]) ?? command;
  for (const option of rest.filter((word) => word.startsWith('--')))
    assert.ok(
      [...inner.options, ...inner.createHelp().visibleOptions(inner)].some(({ long }) => long === option),
      `${name} has no option ${option}`,
    );
}

function checkNpm([verb = '', ...args]: Words): void {
  if (verb === 'ci') return;
  if (verb === 'install') {
    for (const word of args.filter((name) => !name.startsWith('-') && name !== 'millrace')) {
      const [, name = '', version] = /^(.+)@([^@]+)$/.exec(word) ?? [];
      assert.equal(version, peerDependencies[name], word);
    }
    return;
  }
  const script = verb === 'run' ? (args[0] ?? '') : verb;
  assert.ok(scripts[script] !== undefined, `there is no script ${script}`);
}

function checkNode(args: Words, page: Page): void {
  // Its syntax.
  if (args[0] === '-e') new Script(args[1] ?? '');
  else hasFile(args.find((word) => /\.\w+$/.test(word)) ?? '', page);
}

function checkDocker([verb = '', ...args]: Words, page: Page): void {
  if (verb === 'compose') {
    const [action, ...words] = args.filter((word, index) => !word.startsWith('-') && args[index - 1] !== '--profile');
    assert.ok(/^(up|down|start|stop|restart|exec|logs|ps)$/.test(action ?? ''), `compose ${action}`);
    for (const service of action === 'exec' ? words.slice(0, 1) : words)
      assert.ok(service in compose.services, `there is no service ${service}`);
  } else if (verb === 'build') {
    hasFile(args[args.indexOf('-f') + 1] ?? '', page);
  } else {
    assert.ok(['run', 'inspect'].includes(verb), `docker ${verb}`);
  }
}

/** A port that Compose publishes; where it is Millrace's, one of its routes. */
function checkCurl(args: Words): void {
  const address = args.find((word) => /^(http:\/\/)?(localhost|127\.0\.0\.1):/.test(word));
  assert.ok(address !== undefined, 'no address of this machine');
  const { port, pathname } = new URL(address.startsWith('http') ? address : `http://${address}`);
  const published = Object.values(compose.services).flatMap(({ ports = [] }) => ports);
  assert.ok(published.some((mapping) => mapping.split(':')[1] === port), `nothing listens on port ${port}`); // prettier-ignore
  if (port !== '9464') return;
  const sendsPost = args.some((word) => ['-d', '--data-binary', 'POST'].includes(word));
  const method = sendsPost ? 'POST' : 'GET';
  assert.ok(
    routes.some((route) => route.method === method && route.path.test(pathname)),
    `there is no route ${method} ${pathname}`,
  );
}

/** Names and keys that the resources refer to. */
function checkKubectl([verb = '', kind = '', ...args]: Words, page: Page): void {
  if (verb === 'apply') return;
  assert.equal(verb, 'create');
  if (kind === 'configmap') return;
  const [type, name = '', literal = ''] = args;
  assert.deepEqual([kind, type], ['secret', 'generic']);
  const key = /^--from-literal=([\w-]+)=/.exec(literal)?.[1] ?? '';
  const resources = textOf('deploy/kubernetes/base/stateful-set.yaml') + textOf('deploy/kubernetes/base/millrace.yaml');
  for (const wanted of [name, key]) assert.match(resources, new RegExp(`\\b${wanted}\\b`));
  hasFile('deploy/kubernetes/base', page);
}

/** What a reader is to bring along: a configuration of their own. */
const readersOwn = 'millrace.yaml';

function hasFile(name: string, page: Page): void {
  if (name === readersOwn) return;
  assert.ok(name !== '' && page.hasFile(name), `there is no file ${name}`);
}
