import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { checkoutDirectory, projectRoot, runCommand, runForDocument } from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
import { anyPort, onTerminal } from '../support/init.ts';

const housing = ['init', '--source', 'csv', '--file', 'examples/housing/housing.csv'];
const onCommandLine = [process.execPath, join(projectRoot, 'bin/millrace.js'), 'init'];

describe('millrace init', () => {
  test('writes a configuration from a CSV file that is valid, runs, and tells editors its schema', async (t) => {
    const cwd = checkoutDirectory(t);
    const { code, stdout, stderr } = await runCommand(housing, { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^housing\.yaml: predicts price\./);
    const file = join(cwd, 'housing.yaml');
    const text = readFileSync(file, 'utf8');
    const [, schema = ''] = /^# yaml-language-server: \$schema=(.+)\n/.exec(text) ?? [];
    assert.ok('properties' in (JSON.parse(readFileSync(resolve(dirname(file), schema), 'utf8')) as object));
    assert.deepEqual(
      Object.entries(parse(text) as object).filter(([key]) => ['source', 'features', 'target'].includes(key)),
      [
        ['source', { csv: { file: 'examples/housing/housing.csv' } }],
        ['features', { area: {}, rooms: {} }],
        ['target', 'price'],
      ],
    );
    assert.equal((await runCommand(['validate', 'housing.yaml'], { cwd })).code, 0);
    anyPort(file);
    const { records } = (await runForDocument(['run', 'housing.yaml', '--once', '--json'], { cwd })) as RunDocument;
    assert.equal(records.trained, 500);
  });

  test('proposes key, time, categories and what to leave out by type, and takes what options say', async (t) => {
    const cwd = checkoutDirectory(t);
    const rows = Array.from({ length: 40 }, (_, row) => {
      const time = new Date(60_000 * row).toISOString();
      const counters = `${row},${Math.floor(row / 4)}`;
      return `pump-${row % 4},${time},${['on', 'off'][row % 2]},1,note ${row},${row / 4},${2 * (row % 9)},${counters}`;
    });
    writeFileSync(join(cwd, 'pumps.csv'), `pumpId,seen,state,unit,note,flow,watts,line,seq\n${rows.join('\n')}\n`);
    const pumps = ['init', '--source', 'csv', '--file', 'pumps.csv', '--json'];
    const proposed = (await runForDocument(pumps, { cwd })) as Record<string, unknown>;
    assert.deepEqual([proposed['target'], proposed['key'], proposed['time']], ['watts', 'pumpId', 'seen']);
    const text = readFileSync(join(cwd, 'pumps.yaml'), 'utf8');
    const { features } = parse(text) as { features: unknown };
    assert.deepEqual(features, { state: { as: 'oneHot', max: 2 }, flow: {} });
    assert.match(text, /^# Left out.*count up: line, seq\.$/m);
    assert.match(text, /^# Left out.*: unit, note\.$/m);

    const asked = ['--target', 'state', '--key', 'note', '--out', 'states.yaml'];
    await runForDocument([...pumps, ...asked], { cwd });
    const states = parse(readFileSync(join(cwd, 'states.yaml'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual([states['target'], states['key']], [{ field: 'state', task: 'classification' }, 'note']);
    assert.equal((await runCommand(['validate', 'states.yaml'], { cwd })).code, 0);
  });

  test('reads the first records of an embedded log in Avro', async (t) => {
    const cwd = checkoutDirectory(t);
    const produce = ['produce', '--log', 'log', '--topic', 'readings', '--simulate', '5', '--count', '500'];
    assert.equal((await runCommand([...produce, '--schema', 'readings.avsc'], { cwd })).code, 0);
    const log = ['init', '--source', 'log', '--dir', 'log', '--topic', 'readings'];
    const avro = ['--schema', 'readings.avsc', '--target', 'power', '--json'];
    const made = (await runForDocument([...log, ...avro], { cwd })) as Record<string, unknown>;
    assert.deepEqual([made['key'], made['time']], ['sensorId', 'measuredAt']);
    anyPort(join(cwd, 'readings.yaml'));
    const { records } = (await runForDocument(['run', 'readings.yaml', '--once', '--json'], { cwd })) as RunDocument;
    assert.deepEqual([records.read, records.rejected], [500, 0]);

    const { code, stderr } = await runCommand([...log, '--out', 'json.yaml'], { cwd });
    assert.equal(code, 2);
    assert.match(stderr, /no record that can be read as json.*--schema FILE/);
  });

  test('says what is missing or wrong, and never writes over a file unasked', async (t) => {
    const cwd = checkoutDirectory(t);
    const refusals: readonly (readonly [readonly string[], RegExp])[] = [
      [['init'], /needs --source kafka, log or csv/],
      [['init', '--source', 'csv'], /needs --file PATH/],
      [['init', '--config', 'nowhere.yaml'], /^millrace: config\.missing: nowhere\.yaml: cannot read/m],
      [['init', '--config', 'examples/housing/housing.csv'], /source: is missing/],
      [['init', '--config', 'examples/housing/housing.yaml', '--topic', 'a'], /cannot be used with option '--topic/],
      [['init', '--source', 'log', '--topic', 't'], /needs --dir DIR/],
      [['init', '--source', 'kafka', '--topic', 't'], /needs --brokers HOST:PORT/],
      [
        [...housing, '--target', 'prise'],
        /--target prise: the records have no such field\. They have area, rooms, price/,
      ],
      [[...housing, '--out', 'nowhere/a.yaml'], /--out nowhere\/a\.yaml: cannot be written/],
    ];
    for (const [args, message] of refusals) {
      const { code, stderr } = await runCommand(args, { cwd });
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, message);
    }
    const file = join(cwd, 'housing.yaml');
    writeFileSync(file, 'mine');
    assert.equal((await runCommand(housing, { cwd })).code, 2);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    assert.equal((await runCommand([...housing, '--force'], { cwd })).code, 0);
  });

  test('asks on a terminal, and takes what is chosen instead of what it proposes', async (t) => {
    const cwd = checkoutDirectory(t);
    const down = '\x1b[B';
    const { code, screen } = await onTerminal(
      [...onCommandLine, '--name', 'asked'],
      [
        ['Where do records come from?', `${down}${down}\r`],
        ['Which file', '\r'],
        ['needed', 'examples/housing/housing.csv\r'],
        ['What shall be predicted?', '\x1b[A\r'],
        ['Which field tells sensors apart?', '\r'],
        ['Which field is the time of measuring?', '\r'],
      ],
      cwd,
    );
    assert.equal(code, 0, screen);
    const { target, features } = parse(readFileSync(join(cwd, 'asked.yaml'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual([target, features], ['rooms', { area: {}, price: {} }]);
    anyPort(join(cwd, 'asked.yaml'));
    const { records } = (await runForDocument(['run', 'asked.yaml', '--once', '--json'], { cwd })) as RunDocument;
    assert.equal(records.trained, 500);
  });

  test('asks for log, topic and schema where they are not given, and only for those', async (t) => {
    const cwd = checkoutDirectory(t);
    const produce = ['produce', '--log', 'log', '--topic', 'readings', '--simulate', '5', '--count', '500'];
    assert.equal((await runCommand([...produce, '--schema', 'readings.avsc'], { cwd })).code, 0);
    const { code, screen } = await onTerminal(
      [...onCommandLine, '--source', 'log', '--key', 'sensorId', '--time', 'measuredAt'],
      [
        ['In which directory is the log?', 'log\r'],
        ['Which topic?', 'readings\r'],
        ['Avro schema file', 'readings.avsc\r'],
        ['What shall be predicted?', '\r'],
      ],
      cwd,
    );
    assert.equal(code, 0, screen);
    assert.doesNotMatch(screen, /Where do records come from|tells sensors apart|time of measuring/);
    anyPort(join(cwd, 'readings.yaml'));
    const { records } = (await runForDocument(['run', 'readings.yaml', '--once', '--json'], { cwd })) as RunDocument;
    assert.deepEqual([records.read, records.rejected], [500, 0]);
  });

  test('writes nothing where a question is cancelled', async (t) => {
    const cwd = checkoutDirectory(t);
    const { code, screen } = await onTerminal(onCommandLine, [['Where do records come from?', '\x03']], cwd);
    assert.equal(code, 2);
    assert.match(screen, /config\.missing: cancelled: nothing was written/);
  });
});
