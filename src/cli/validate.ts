import type { Command } from 'commander';
import { describeConfig } from '../config/describe.ts';
import { loadConfig } from '../config/load.ts';
import { printJson, printLine } from './command-output.ts';

/** `millrace validate CONFIG` */
export function defineValidate(command: Command): void {
  command
    .argument('<config>', 'the configuration file')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nExample:\n  millrace validate examples/weather/weather.yaml')
    .action((file: string, { json }: { json?: true }) => {
      const described = describeConfig(loadConfig(file));
      if (json) {
        printJson({ valid: true, values: described });
        return;
      }
      const width = Math.max(...described.map(({ key }) => key.length));
      for (const { key, value, origin } of described) {
        printLine(`${key.padEnd(width)}  ${JSON.stringify(value)}  (${origin})`);
      }
    });
}
