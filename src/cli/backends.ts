import type { Command } from 'commander';
import { listBackends } from '../trainer/backends.ts';
import { printJson, printLine } from './command-output.ts';

/** `millrace backends` */
export function defineBackends(command: Command): void {
  command
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nExample:\n  millrace backends')
    .action(async ({ json }: { json?: true }) => {
      const reports = await listBackends();
      if (json) {
        printJson(reports);
        return;
      }
      for (const { name, available, reason, device, stepMs } of reports) {
        const times = Object.entries(stepMs).map(([rows, ms]) => `${rows} rows ${ms.toFixed(2)} ms`);
        printLine(
          `${name.padEnd(11)} ${available ? `${device}, step of 8-64-64-1: ${times.join(', ')}` : `not here: ${reason}`}`,
        );
      }
    });
}
