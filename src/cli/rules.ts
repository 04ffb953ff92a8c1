import { InvalidArgumentError, Option, type Command } from 'commander';
import { duration } from '../config/quantities.ts';
import { defaultRuleOptions, inhibitRules, prometheusRules } from '../metrics/rule-files.ts';
import { writeFiles, type OutputOptions } from './written-files.ts';

interface RulesCommandOptions extends OutputOptions {
  readonly freshness: number;
  readonly silence: number;
  readonly runbook: string;
}

/** `millrace rules --out DIR` */
export function defineRules(command: Command): void {
  command
    .requiredOption('--out <dir>', 'directory to write to; it is made where it is missing')
    .addOption(
      new Option('--freshness <duration>', 'how old what the model knows may be while newer records wait')
        .argParser(milliseconds)
        .default(defaultRuleOptions.freshnessSeconds * 1000, `${defaultRuleOptions.freshnessSeconds}s`),
    )
    .addOption(
      new Option('--silence <duration>', 'for how long nothing may arrive')
        .argParser(milliseconds)
        .default(defaultRuleOptions.silenceMinutes * 60_000, `${defaultRuleOptions.silenceMinutes}m`),
    )
    .option('--runbook <url>', 'where the alerts link to', defaultRuleOptions.runbook)
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nWrites millrace.rules.yml, for rule_files of prometheus.yml, and millrace.inhibit.yml, whose inhibit_rules belong' +
        '\nin alertmanager.yml.\n\nExample:\n  millrace rules --out ./monitoring --freshness 5m',
    )
    .action(({ freshness, silence, runbook, ...output }: RulesCommandOptions) => {
      const options = {
        ...defaultRuleOptions,
        freshnessSeconds: freshness / 1000,
        silenceMinutes: silence / 60_000,
        runbook,
      };
      writeFiles(output, {
        'millrace.rules.yml': prometheusRules(options),
        'millrace.inhibit.yml': inhibitRules(options),
      });
    });
}

function milliseconds(text: string): number {
  const { data, error } = duration.safeParse(text);
  if (error !== undefined) throw new InvalidArgumentError(error.issues[0]?.message ?? 'expected a duration');
  return data;
}
