import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { describeConfig } from '../../src/config/describe.ts';
import { configOf, loadConfig, parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/errors.ts';
import { temporaryDirectory } from '../support/command.ts';

const minimal = `
name: turbine
source: { log: { dir: ./log, topic: readings } }
decode: { avro: { schemaFile: reading.avsc } }
features: [temperature]
target: power
`;

const parse = (text: string, environment: Record<string, string> = {}) =>
  parseConfig(text, 'pipeline.yaml', environment);

function problemOf(text: string, environment: Record<string, string> = {}): string {
  try {
    parse(text, environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  return assert.fail('the configuration was accepted');
}

describe('parseConfig', () => {
  test('fills in every default', () => {
    const { config } = parse(minimal);
    assert.deepEqual(config.models, { main: { kind: 'linear' } });
    assert.equal(config.serve, 'main');
    assert.deepEqual(config.target, { field: 'power', task: 'regression', tolerance: 0, as: 'value', maxClasses: 32 });
    assert.deepEqual(config.features, { temperature: { as: 'plain', sensitive: false } });
    assert.deepEqual(config.normalize, { kind: 'standard', memory: 1_000_000 });
    assert.equal(config.limits.creditBytes, 32 * 1024 * 1024);
    assert.deepEqual(config.checkpoint, { dir: './state', every: { ms: 30_000 }, keep: 5 });
  });

  test('reads choices written as a name or as a name with options', () => {
    const { config } = parse(`${minimal}
models: { a: mlp, b: { mlp: { hidden: [8] } }, c: linear }
normalize: { standard: { memory: 500 } }`);
    assert.deepEqual(config.models, {
      a: { kind: 'mlp', hidden: [64, 64], activation: 'relu' },
      b: { kind: 'mlp', hidden: [8], activation: 'relu' },
      c: { kind: 'linear' },
    });
    assert.deepEqual(config.normalize, { kind: 'standard', memory: 500 });
    const { training } = parse(
      `${minimal}\ntraining: { optimizer: { rmsprop: { momentum: 0.5 } }, loss: huber }`,
    ).config;
    assert.deepEqual(training.optimizer, { kind: 'rmsprop', decay: 0.9, momentum: 0.5 });
    assert.deepEqual(training.loss, { kind: 'huber', delta: 1 });
  });

  test('reads durations, sizes and steps', () => {
    const { config } = parse(`${minimal}
batch: { maxDelay: 200ms }
connectTimeout: 10m
checkpoint: { every: 500 steps }
limits: { ringBytes: 16MiB, valueBytes: 1000 }`);
    assert.equal(config.batch.maxDelay, 200);
    assert.equal(config.connectTimeout, 600_000);
    assert.deepEqual(config.checkpoint.every, { steps: 500 });
    assert.equal(config.limits.ringBytes, 16 * 1024 * 1024);
    assert.equal(config.limits.valueBytes, 1000);
  });

  test('names an unknown key and the one that was meant', () => {
    assert.match(problemOf(`${minimal}\nbatch: { row: 5 }`), /batch\.row: unknown key; did you mean rows\?/);
    assert.match(
      problemOf(`${minimal}\nmodels: { m: { mlp: { hiden: [3] } } }`),
      /models\.m\.mlp\.hiden.*did you mean hidden/,
    );
  });

  test('names the key, the value and what is expected for a wrong type', () => {
    assert.match(problemOf(`${minimal}\nbatch: { rows: many }`), /batch\.rows: expected number, got "many"/);
    assert.match(problemOf(`${minimal}\nmodels: { m: lineer }`), /models\.m: expected one of .*linear.*, got "lineer"/);
    assert.match(
      problemOf(`${minimal}\nconnectTimeout: soon`),
      /connectTimeout: expected a duration such as 200ms.*got "soon"/,
    );
  });

  test('reports all problems at once', () => {
    const problem = problemOf(`${minimal}\nseed: no\nbatch: { rows: -1 }`);
    assert.match(problem, /seed:/);
    assert.match(problem, /batch\.rows:/);
  });

  test('says where the YAML itself is broken', () => {
    assert.match(problemOf('name: [unclosed'), /not YAML/);
  });

  test('substitutes the environment, with defaults, and reads numbers as numbers', () => {
    const text = `${minimal}\nhttp: { port: "\${PORT:-9464}" }\nseed: \${SEED}`;
    const { config } = parse(text, { SEED: '7' });
    assert.equal(config.http.port, 9464);
    assert.equal(config.seed, 7);
    assert.match(problemOf(text), /seed: the environment has no SEED/);
  });

  test('refuses a secret that stands in the file and takes one from the environment, even a numeric one', () => {
    const withPassword = (password: string): string => `
name: x
source: { kafka: { brokers: [b:1], topics: [t], tls: true, sasl: { mechanism: plain, username: u, password: ${password} } } }
decode: json
features: [a]
target: y`;
    assert.match(problemOf(withPassword('hunter2')), /a secret must not stand in the configuration/);
    const { config } = parse(withPassword('"${PW}"'), { PW: '123456' });
    assert.equal(config.source.kind === 'kafka' && config.source.sasl?.password, '123456');
  });

  test('refuses combinations that cannot work, with a fix', () => {
    assert.match(
      problemOf(minimal.replace('target: power', 'target: { field: power, as: change }')),
      /needs target\.horizon/,
    );
    assert.match(
      problemOf(
        `${minimal.replace('target: power', 'target: { field: power, task: classification }')}\ntraining: { loss: mae }`,
      ),
      /training\.loss: only for regression/,
    );
    assert.match(problemOf(`${minimal}\nserve: other`), /serve: no model is called other/);
    assert.match(problemOf(`${minimal}\nmodels: { m: majority }`), /majority does not do regression/);
    assert.match(problemOf(minimal.replace('[temperature]', '[power]')), /features\.power: is the target itself/);
    assert.match(problemOf(minimal.replace(/decode.*\n/, '')), /decode: is missing/);
    assert.match(problemOf(`${minimal}\ndeadLetter: { topic: bad }`), /deadLetter\.topic: needs source\.kafka/);
  });
});

describe('loadConfig', () => {
  test('names the file that is missing', () => {
    assert.throws(() => loadConfig('/nowhere/pipeline.yaml'), /\/nowhere\/pipeline\.yaml: cannot read/);
  });

  test('reads the token of HTTP from its file or the environment, never from the configuration, and never an empty one', (t) => {
    const dir = temporaryDirectory(t);
    writeFileSync(join(dir, 'token'), 'from-file\n');
    writeFileSync(join(dir, 'empty'), '\n');
    const withHttp = (http: string): string => `${minimal}\nhttp: { ${http} }`;
    assert.equal(parse(withHttp(`tokenFile: ${join(dir, 'token')}`)).config.http.token, 'from-file');
    const fromEnvironment = parse(withHttp('token: "${TOKEN}"'), { TOKEN: '123' });
    assert.equal(fromEnvironment.config.http.token, '123');
    assert.ok(!JSON.stringify(describeConfig(fromEnvironment)).includes('123'));
    assert.match(problemOf(withHttp('token: abc')), /http\.token: a secret must not stand in the configuration/);
    assert.match(problemOf(withHttp(`tokenFile: ${join(dir, 'empty')}`)), /http\.tokenFile: .*empty is empty/);
    assert.match(problemOf(withHttp(`tokenFile: ${join(dir, 'none')}`)), /http\.tokenFile: cannot read/);
  });

  test('reads a password from its file', (t) => {
    const dir = temporaryDirectory(t);
    writeFileSync(join(dir, 'password'), 'from-file\n');
    writeFileSync(
      join(dir, 'c.yaml'),
      `name: x
source: { log: { dir: l, topic: t } }
decode: { avro: { registry: { url: "http://localhost:1", username: u, passwordFile: ${join(dir, 'password')} } } }
features: [a]
target: y`,
    );
    const { config } = loadConfig(join(dir, 'c.yaml'), {});
    assert.equal(config.decode.kind === 'avro' && config.decode.registry?.password, 'from-file');
  });
});

describe('describeConfig', () => {
  test('tells the origin of each value and hides secrets', () => {
    const loaded = parse(
      `${minimal.replace('{ schemaFile: reading.avsc }', '{ registry: { url: "http://r", username: u, password: "${PW}" } }')}
http: { port: "\${PORT}" }`,
      { PW: 'canary', PORT: '80' },
    );
    const described = new Map(describeConfig(loaded).map((each) => [each.key, each]));
    assert.equal(described.get('http.port')?.origin, 'environment PORT');
    assert.equal(described.get('http.host')?.origin, 'default');
    assert.equal(described.get('source.topic')?.origin, 'file');
    assert.equal(described.get('decode.registry.url')?.origin, 'file');
    assert.equal(described.get('normalize.memory')?.origin, 'default');
    assert.equal(described.get('decode.registry.password')?.value, '(secret)');
    assert.ok(!JSON.stringify([...described]).includes('canary'));
  });
});

describe('configOf', () => {
  const document = { name: 'line', source: { program: { topic: 'points' } }, features: ['x'], target: 'y' };

  test('checks an object as a file is checked, and reads rows of a program as JSON', () => {
    const config = configOf({ ...document, http: { port: '${PORT:-0}' as unknown as number } }, {});
    assert.deepEqual(config.source, { kind: 'program', topic: 'points' });
    assert.deepEqual([config.decode.kind, config.http.port, config.batch.rows], ['json', 0, 256]);
    const refuse = (): unknown => configOf({ ...document, batch: { rows: -1 } }, {});
    assert.throws(refuse, (error) => error instanceof ConfigError && /batch\.rows/.test(error.message));
  });
});
