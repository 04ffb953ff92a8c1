import type { Command } from 'commander';
import { dashboardFiles } from '../metrics/dashboard-files.ts';
import { writeFiles, type OutputOptions } from './written-files.ts';

/** `millrace dashboards --out DIR` */
export function defineDashboards(command: Command): void {
  command
    .requiredOption('--out <dir>', 'directory to write to; it is made where it is missing')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nWrites one JSON file a dashboard, for Grafana to provision or import; the data source is chosen there.' +
        '\n\nExample:\n  millrace dashboards --out ./monitoring/dashboards',
    )
    .action((output: OutputOptions) => {
      writeFiles(output, dashboardFiles());
    });
}
