/** How every command ends; a script can rely on it. */
export const exitCodes = {
  0: 'Done. A pipeline that was asked to stop, by SIGINT or SIGTERM, has saved what it learned.',
  1: 'Failed, or stopped by a limit: the source, the state, the disk, records that cannot be used.',
  2: 'The command line or the configuration must be changed first; nothing was begun.',
} as const;

/** Variables of the environment that commands look at. */
export const environmentVariables = {
  '${NAME}': 'Any variable that the configuration names so, or as ${NAME:-default}; the way for secrets.',
  LOG_LEVEL: 'How much is logged on stderr: debug, info (default), warn, error, silent.',
  MILLRACE_CACHE:
    'Where npm run native puts the tensorflow backend, and where it is looked for (default: ~/.cache/millrace).',
  TF_NUM_INTRAOP_THREADS: 'Threads of one operation on the tensorflow backend (default: 1).',
  NO_COLOR: 'Set to anything: logs on a terminal have no colors.',
} as const;

/** What follows the commands in `millrace --help`. */
export function factsText(): string {
  const list = (facts: Readonly<Record<string, string>>): string =>
    Object.entries(facts)
      .map(([name, text]) => `  ${name.padEnd(24)}${text}`)
      .join('\n');
  return `\nEnvironment:\n${list(environmentVariables)}\n\nExit codes:\n${list(exitCodes)}\n\nErrors have a code; docs/errors.md says what to do about each.`;
}
