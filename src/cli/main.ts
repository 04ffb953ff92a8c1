import { Command, CommanderError } from 'commander';
import { registerBackends } from './backends.ts';
import { explainFailure } from './command-output.ts';
import { registerEvaluate } from './evaluate.ts';
import { registerInspect } from './inspect.ts';
import { registerProduce } from './produce.ts';
import { registerRun } from './run.ts';
import { registerStart } from './start.ts';
import { registerValidate } from './validate.ts';
import { version } from './version.ts';

/** Parses and runs one command line, then sets the exit code: 0 done, 1 failed, 2 usage or configuration. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  const program = new Command('millrace')
    .description('A streaming data pipeline with a model that never stops learning.')
    .version(version)
    .showHelpAfterError('(run with --help for the options and an example)')
    .exitOverride();
  for (const register of [
    registerRun,
    registerEvaluate,
    registerProduce,
    registerInspect,
    registerValidate,
    registerBackends,
    registerStart,
  ]) {
    register(program);
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else process.exitCode = explainFailure(error);
  }
}
