import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { projectRoot, temporaryDirectory, type Cleanup } from './command.ts';

/**
 * The command as it is published: compiled, in a package of its own. It starts in half the time, which counts where tests
 * start it a hundred times.
 * @returns the path of `bin/millrace.js`, in a directory that goes with the suite.
 */
export function compiledProgram(t: Cleanup): string {
  const dir = temporaryDirectory(t);
  for (const name of ['bin', 'package.json']) cpSync(join(projectRoot, name), join(dir, name), { recursive: true });
  for (const name of ['node_modules', 'web', 'examples']) symlinkSync(join(projectRoot, name), join(dir, name));
  const options = compilerOptions();
  const source = join(projectRoot, 'src');
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(source, name), 'utf8'), { compilerOptions: options });
    const target = join(dir, 'dist', name.replace(/ts$/, 'js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  return join(dir, 'bin/millrace.js');
}

function compilerOptions(): ts.CompilerOptions {
  const file = ts.readConfigFile(join(projectRoot, 'tsconfig.build.json'), (path) => readFileSync(path, 'utf8'));
  const { config } = file as { config?: unknown };
  // A file by itself does not tell that its package has modules.
  return { ...ts.parseJsonConfigFileContent(config, ts.sys, projectRoot).options, module: ts.ModuleKind.ESNext };
}
