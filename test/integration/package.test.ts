import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { projectRoot, startProcess, temporaryDirectory } from '../support/command.ts';

const programText = `import { configOf, rowSource, startPipeline, type RunSummary } from 'millrace';
import { millraceClient } from 'millrace/client';

const config = configOf({
  name: 'line',
  source: { program: { topic: 'points' } },
  features: ['x'],
  target: 'y',
  checkpoint: { dir: 'state' },
  http: { port: 0 },
});
const points = Array.from({ length: 1000 }, (_, x) => ({ x, y: 2 * x }));
const running = await startPipeline({ config, source: (context) => rowSource((at) => points.slice(at), context) });
const summary: RunSummary = await running.ended;
const { value } = await millraceClient({ url: running.url }).predict({ x: 500 });
console.log(\`\${summary.records.trained} trained, \${typeof value}\`);
await running.close();
`;

/** What npm is by default: one that runs tests hands the settings of the checkout down. */
const env = { npm_config_engine_strict: 'false', npm_config_loglevel: 'error' };

async function run(cwd: string, file: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await startProcess(file, args, { cwd, env }).ended;
  assert.equal(code, 0, `${file} ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

suite('the package', () => {
  test('holds what is needed, installs into an empty project, type-checks and runs there', async (t) => {
    const dir = temporaryDirectory(t);
    // Packed from a copy: a checkout may hold a build of its own.
    const copy = join(dir, 'copy');
    mkdirSync(copy);
    const { files } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { files: string[] };
    const sources = ['package.json', 'README.md', 'LICENSE', 'src', 'tsconfig.json', 'tsconfig.build.json'];
    for (const name of [...sources, ...files.filter((file) => file !== 'dist')]) {
      cpSync(join(projectRoot, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
    const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc');
    await run(copy, process.execPath, tsc, '-p', 'tsconfig.build.json');
    await run(copy, 'npm', 'pack', '--silent', '--pack-destination', dir);
    const [archive = ''] = readdirSync(dir).filter((name) => name.endsWith('.tgz'));

    const project = join(dir, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }');
    const quick = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run(project, 'npm', 'install', ...quick, join('..', archive));

    const installed = join(project, 'node_modules/millrace');
    const holds = ['LICENSE', 'README.md', 'bin', 'dist', 'docs', 'examples', 'package.json', 'web'];
    assert.deepEqual(readdirSync(installed).sort(), holds);
    assert.deepEqual(readdirSync(join(installed, 'docs')).sort(), ['config.schema.json', 'runbook.md']);
    assert.deepEqual(readdirSync(join(installed, 'examples')), ['weather']);

    writeFileSync(join(project, 'program.ts'), programText);
    const strict = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--rootDir', '.'];
    const types = ['--typeRoots', join(projectRoot, 'node_modules/@types'), '--exactOptionalPropertyTypes'];
    await run(project, process.execPath, tsc, ...strict, ...types, 'program.ts');
    assert.equal(await run(project, process.execPath, 'program.js'), '1000 trained, number\n');
    assert.match(await run(project, 'npx', '--no-install', 'millrace', '--version'), /^\d+\.\d+\.\d+\n$/);
  });
});
