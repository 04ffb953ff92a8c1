import type { Command } from 'commander';
import { listBackends } from '../trainer/backends.ts';
import { printJson, printLine } from './command-output.ts';

/** `millrace backends` */
export function registerBackends(program: Command): void {
  program
    .command('backends')
    .description('show which engines can train here, why others cannot, and a step time each')
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
