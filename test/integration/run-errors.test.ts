import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { documentOf, projectRoot, runCommand, temporaryDirectory, type Cleanup } from '../support/command.ts';

const housing = join(projectRoot, 'examples/housing/housing.csv');

/** A configuration that works, with `over` put over it. */
function configFile(t: Cleanup, over: Readonly<Record<string, unknown>>): string {
  const dir = temporaryDirectory(t);
  const file = join(dir, 'pipeline.yaml');
  const document = {
    name: 'housing',
    source: { csv: { file: housing } },
    features: ['area', 'rooms'],
    target: 'price',
    checkpoint: { dir: join(dir, 'state') },
    http: { port: 0 },
    ...over,
  };
  writeFileSync(file, JSON.stringify(document));
  return file;
}

const reference = readFileSync(join(projectRoot, 'docs/errors.md'), 'utf8');

const log = { log: { dir: 'nowhere', topic: 'readings' } };

/** What a user gets wrong, and what the message has to name: key, value and fix. */
const mistakes: readonly { what: string; over: Readonly<Record<string, unknown>>; says: readonly RegExp[] }[] = [
  { what: 'an unknown key', over: { batch: { row: 16 } }, says: [/batch\.row: unknown key; did you mean rows\?/] },
  { what: 'a wrong type', over: { batch: { rows: 'many' } }, says: [/batch\.rows: expected number, got "many"/] },
  { what: 'a wrong choice', over: { backend: 'cuda' }, says: [/backend: expected one of .*wasm.*, got "cuda"/] },
  {
    what: 'a missing data file',
    over: { source: { csv: { file: 'no.csv' } } },
    says: [/source\.csv\.file: no\.csv is not a file; check the spelling/],
  },
  {
    what: 'a missing schema file',
    over: { source: log, decode: { avro: { schemaFile: 'no.avsc' } } },
    says: [/schemaFile no\.avsc: cannot be read .*Check the path/],
  },
  {
    what: 'a target that is no column',
    over: { target: 'prize' },
    says: [/target\.field: the input has no field prize; it has area, rooms, price/],
  },
  {
    what: 'a feature that is no column',
    over: { features: { size: { field: 'surface' } } },
    says: [/features\.size\.field: the input has no field surface/],
  },
  {
    what: 'two keys that exclude each other',
    over: { target: { field: 'price', as: 'change' } },
    says: [/target\.as: change needs target\.horizon\. Add horizon/],
  },
  {
    what: 'a ring too small',
    over: { limits: { ringBytes: '1KiB' } },
    says: [/limits\.ringBytes is 1024, .*set it to at least/],
  },
];

describe('a configuration that cannot be used ends run with 2 and a message of key, value and fix:', () => {
  for (const { what, over, says } of mistakes) {
    test(what, async (t) => {
      const { code, stdout, stderr } = await runCommand(['run', configFile(t, over), '--once', '--json']);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      for (const pattern of says) assert.match(stderr, pattern);
      assert.doesNotMatch(stderr, /\n {4}at /, 'no stack');
      const [, shown] = /^millrace: (config\.\w+): /m.exec(stderr) ?? [];
      assert.ok(reference.includes(`### ${shown}\n`), `docs/errors.md has the code ${shown}`);
    });
  }

  test('a file that does not exist', async () => {
    const { code, stderr } = await runCommand(['run', 'no-such.yaml']);
    assert.equal(code, 2);
    assert.match(stderr, /no-such\.yaml: cannot read the configuration .*Check the path/);
  });

  test('a port in use', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await runCommand(['run', configFile(t, { http: { port } }), '--once']);
    assert.equal(code, 2);
    assert.match(
      stderr,
      new RegExp(`http\\.port: ${port} is in use on 127\\.0\\.0\\.1; .*set http\\.port to a free port`),
    );
  });

  test('an option that does not exist', async () => {
    const { code, stderr } = await runCommand(['run', 'pipeline.yaml', '--onse']);
    assert.equal(code, 2);
    assert.match(stderr, /unknown option '--onse'\n\(Did you mean --once\?\)/);
  });
});

test('a topic that never comes ends run --once with 1 after connectTimeout', async (t) => {
  const over = { source: log, decode: 'json', connectTimeout: '500ms' };
  const { code, stderr } = await runCommand(['run', configFile(t, over), '--once']);
  assert.equal(code, 1);
  assert.match(stderr, /^millrace: source\.unavailable: there is no topic readings in nowhere; .*produce to it first/m);
});

test('every command has a help with an example', async () => {
  const { code, stdout } = await runCommand(['--help']);
  assert.equal(code, 0);
  const [, list = ''] = /\nCommands:\n((?: .+\n)+)/.exec(stdout) ?? [];
  const commands = [...list.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name]) => name ?? '');
  assert.deepEqual(commands.sort(), [
    'backends',
    'dashboards',
    'evaluate',
    'init',
    'inspect',
    'models',
    'produce',
    'rules',
    'run',
    'start',
    'validate',
  ]);
  for (const command of commands) {
    const help = await runCommand([command, '--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /\nExample:\n {2}(millrace|npm start)/, command);
    assert.match(help.stdout, /--json/, command);
  }
});

test('--json prints one document on stdout and nothing else', async (t) => {
  const file = configFile(t, {});
  const dir = temporaryDirectory(t);
  const state = join(file, '..', 'state');
  const commands = [
    ['validate', file],
    ['run', file, '--once'],
    ['run', file],
    ['inspect', state],
    ['evaluate', file],
    ['produce', '--log', dir, '--topic', 'readings', '--count', '100'],
    ['backends'],
  ];
  for (const command of commands) {
    const document = documentOf(await runCommand([...command, '--json']));
    assert.ok(typeof document === 'object' && document !== null, command.join(' '));
  }
});
