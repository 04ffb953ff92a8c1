import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The Python below `dir` with the packages of a requirements file, which is installed unless it is there as it is. */
export function pythonOf(dir: string, requirements: string): string {
  const python = join(dir, 'python', 'bin', 'python3');
  const wanted = readFileSync(requirements, 'utf8');
  const installed = join(dir, 'requirements.txt');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return python;
  mkdirSync(dir, { recursive: true });
  const run = (program: string, ...args: readonly string[]): void => {
    execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  };
  run('python3', '-m', 'venv', join(dir, 'python'));
  run(python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements);
  // Written last, to say that the environment is complete.
  writeFileSync(installed, wanted);
  return python;
}
