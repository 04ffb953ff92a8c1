import { Command, CommanderError } from 'commander';
import { factsText } from './command-facts.ts';
import { outliveReaders } from './command-output.ts';
import { explainFailure } from './explain-failure.ts';
import { version } from '../service/version.ts';

interface CommandEntry {
  readonly description: string;
  /** Imports the command's module, which adds arguments, options and what the command does. */
  readonly load: () => Promise<(command: Command) => void>;
}

/** All commands by name. A module is imported only where its command is asked for: most of a short command is imports. */
const commands: Readonly<Record<string, CommandEntry>> = {
  init: {
    description: 'write a configuration, from questions, options and the first records',
    load: async () => (await import('./init/init.ts')).defineInit,
  },
  run: {
    description: 'run a pipeline: read, learn, checkpoint, serve',
    load: async () => (await import('./run.ts')).defineRun,
  },
  evaluate: {
    description: 'predict, then learn, each record of a bounded stream, and print the scores; leaves all state alone',
    load: async () => (await import('./evaluate.ts')).defineEvaluate,
  },
  produce: {
    description: 'send sensor readings, replayed from a CSV file or simulated, to Kafka or an embedded log',
    load: async () => (await import('./produce.ts')).defineProduce,
  },
  inspect: {
    description: 'show what a state directory holds, and verify every digest',
    load: async () => (await import('./inspect.ts')).defineInspect,
  },
  models: {
    description: 'list versions of the models, pin one, roll back',
    load: async () => (await import('./models.ts')).defineModels,
  },
  validate: {
    description: 'check a configuration and print every value with its origin',
    load: async () => (await import('./validate.ts')).defineValidate,
  },
  backends: {
    description: 'show which engines can train here, why others cannot, and a step time each',
    load: async () => (await import('./backends.ts')).defineBackends,
  },
  dashboards: {
    description: 'write dashboards for Grafana',
    load: async () => (await import('./dashboards.ts')).defineDashboards,
  },
  rules: {
    description: 'write alert rules for Prometheus and the inhibitions for Alertmanager',
    load: async () => (await import('./rules.ts')).defineRules,
  },
  start: {
    description: 'play a year of weather into an embedded log and learn from it, with the live page',
    load: async () => (await import('./start.ts')).defineStart,
  },
};

/** The whole command line. Only commands that are wanted have their arguments and options; the others have a description. */
export async function commandLine(isWanted: (name: string) => boolean): Promise<Command> {
  const program = new Command('millrace')
    .description('A streaming data pipeline with a model that never stops learning.')
    .version(version)
    .showHelpAfterError('(run with --help for the options and an example)')
    .addHelpText('after', factsText)
    .exitOverride();
  for (const [name, { description, load }] of Object.entries(commands)) {
    const command = program.command(name).description(description);
    if (isWanted(name)) (await load())(command);
  }
  return program;
}

/** Parses and runs one command line, then sets the exit code: 0 done, 1 failed, 2 usage or configuration. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  outliveReaders();
  // The first of them: `millrace help run` asks for `run` as well.
  const asked = argv.slice(2).find((word) => Object.hasOwn(commands, word));
  try {
    const program = await commandLine((name) => name === asked);
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else process.exitCode = explainFailure(error);
  }
}
