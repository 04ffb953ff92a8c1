import type { Argument, Command, Option } from 'commander';
import { environmentVariables, exitCodes } from '../src/cli/command-facts.ts';
import { commandLine } from '../src/cli/main.ts';
import { markdownTable } from './markdown-table.ts';

const introduction = `# Command line

Generated from the commands themselves by \`npm run docs\`; \`millrace COMMAND --help\` says the same.

In a project that has it installed: \`npx millrace COMMAND\`; in a checkout: \`node bin/millrace.js COMMAND\`. Results go to stdout, with
\`--json\` as one document on one line; logs and errors go to stderr. Paths are relative to the working directory. A duration is written as
200ms, 30s, 10m, 1h or 7d.
`;

/** The page docs/cli.md. */
export async function commandPage(): Promise<string> {
  const { commands } = await commandLine(() => true);
  const leaves = commands.flatMap((command) => (command.commands.length === 0 ? [command] : command.commands));
  return [
    introduction,
    markdownTable(
      ['command', 'does'],
      leaves.map((command) => [`[\`${nameOf(command)}\`](#${anchorOf(command)})`, command.description()]),
    ),
    ...commands.flatMap((command) => [section(command, '##'), ...command.commands.map((one) => section(one, '###'))]),
    '## Exit codes\n',
    markdownTable(['code', 'means'], Object.entries(exitCodes)),
    'An error on stderr begins with `millrace:` and its code; [Errors](errors.md) has what to do about each, and its exit code.\n',
    '## Environment\n',
    markdownTable(
      ['variable', 'is'],
      Object.entries(environmentVariables).map(([name, text]) => [code(name), text]),
    ),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function section(command: Command, level: string): string {
  const args = command.registeredArguments.map((argument) => [
    code(argumentTerm(argument)),
    argument.description,
    argument.required ? 'required' : '',
  ]);
  const options = command.options.map((option) => [code(option.flags), meaningOf(option), defaultOf(option)]);
  const { notes, example } = afterHelp(command);
  return [
    `${level} ${nameOf(command)}\n`,
    `${sentence(command.description())}\n`,
    ...(command.commands.length === 0 ? [fence('text', `millrace ${usageOf(command)}`)] : []),
    ...(args.length === 0 ? [] : [markdownTable(['argument', 'is', 'default'], args)]),
    ...(options.length === 0 ? [] : [markdownTable(['option', 'means', 'default'], options)]),
    ...(notes === '' ? [] : [`${notes}\n`]),
    ...(example === '' ? [] : [fence('sh', example)]),
  ].join('\n');
}

/** `models pin`: without the name of the program. */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${nameOf(parent)} ${command.name()}` : command.name();
}

function anchorOf(command: Command): string {
  return nameOf(command).replaceAll(' ', '-');
}

function usageOf(command: Command): string {
  const needed = command.options.filter(({ mandatory }) => mandatory).map(({ flags }) => flags);
  return [nameOf(command), ...command.registeredArguments.map(argumentTerm), ...needed, '[options]'].join(' ');
}

function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

/** Defaults that only words can say stand at the end of a description, as `--help` shows them. */
const wordedDefault = / \(default: (.*)\)$/;

function meaningOf({ description, argChoices }: Option): string {
  const choices = argChoices === undefined ? '' : `: ${argChoices.map(code).join(', ')}`;
  return description.replace(wordedDefault, '') + choices;
}

function defaultOf({ description, mandatory, defaultValue, defaultValueDescription }: Option): string {
  if (mandatory) return 'required';
  if (defaultValue !== undefined) return code(defaultValueDescription ?? String(defaultValue));
  return wordedDefault.exec(description)?.[1] ?? '';
}

/** What `--help` shows behind the options: sentences, then examples. */
function afterHelp(command: Command): { readonly notes: string; readonly example: string } {
  let shown = '';
  command.configureOutput({ writeOut: (text) => (shown += text) });
  command.outputHelp();
  const [notes = '', example = ''] = shown.slice(command.helpInformation().length).split('\nExample:\n');
  return { notes: notes.trim(), example: example.replaceAll(/^ {2}/gm, '').trim() };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function fence(kind: 'sh' | 'text', text: string): string {
  return `\`\`\`${kind}\n${text}\n\`\`\`\n`;
}

function code(text: string): string {
  return `\`${text}\``;
}
