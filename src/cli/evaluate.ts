import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { lastValueFrom } from 'rxjs';
import { ConfigError } from '../errors.ts';
import { pipeline } from '../pipeline.ts';
import { Progress } from '../progress.ts';
import type { ScoredPredictions } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';
import { inlineTrainer } from '../trainer/inline-trainer.ts';
import { assemble } from '../service/assembly.ts';
import type { TrainerFacts } from '../service/checkpointing.ts';
import { printJson, printLine } from './command-output.ts';
import { positiveInteger } from './command-options.ts';
import { evaluationConfig, type EvaluateOptions } from './evaluation-config.ts';
import { predictionsCsv } from './predictions-csv.ts';
import { metricsText } from '../service/summary.ts';

/** `millrace evaluate` */
export function defineEvaluate(command: Command): void {
  command
    .argument('[config]', 'the configuration file; or use --csv and --target')
    .option('--csv <file>', 'read this CSV file (a glob, .gz) instead of the source of the configuration')
    .option('--target <column>', 'the column to predict')
    .option(
      '--model <names>',
      'models to compare, separated by commas (default: linear, or those of the configuration)',
    )
    .addOption(
      new Option('--task <task>', 'what is learned (default: by the type of the target)').choices([
        'regression',
        'classification',
      ]),
    )
    .option(
      '--batch <rows>',
      'rows that are predicted and learned together (default: that of the configuration)',
      positiveInteger,
    )
    .option('--seed <n>', 'seed of the models (default: that of the configuration)', positiveInteger)
    .option('--predictions <file>', 'write row, prediction and target as CSV')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nExample:\n  millrace evaluate --csv examples/housing/housing.csv --target price')
    .action(async (file: string | undefined, options: EvaluateOptions) => {
      const config = await evaluationConfig(file, options);
      const evaluation = await evaluate(config, options.predictions ?? null);
      if (options.json) printJson(evaluation);
      else printScores(evaluation);
    });
}

type Evaluation = Awaited<ReturnType<typeof evaluate>>;

/** Runs the whole input through the chain of `run`, with the trainer on this thread and nothing saved. */
async function evaluate(config: Awaited<ReturnType<typeof evaluationConfig>>, predictionsFile: string | null) {
  const progress = new Progress();
  const failures: string[] = [];
  const telemetry: Telemetry = {
    emit: (event) => {
      progress.emit(event);
      if (event.type === 'sourceInterrupted' || event.type === 'registryRetried' || event.type === 'modelDegraded')
        process.stderr.write(`${event.message}\n`);
    },
  };
  const assembly = await assemble({
    config,
    isBounded: true,
    restored: null,
    wantsPredictions: predictionsFile !== null,
    telemetry,
    onReject: (block, recordIndex, reason, detail) => {
      if (failures.length < shownFailures)
        failures.push(`record ${block.offsets[recordIndex] ?? ''}: ${reason}: ${detail}`);
    },
    makeTrainer: inlineTrainer,
  });
  const predictions: ScoredPredictions[] = [];
  assembly.trainer.onReport((report) => {
    telemetry.emit({ type: 'batchObserved', report });
    if (report.predictions !== null && report.predictions.offsets.length > 0) predictions.push(report.predictions);
  });
  const startedAt = performance.now();
  await lastValueFrom(pipeline({ ...assembly, saveCheckpoint: () => Promise.resolve() }));
  const seconds = (performance.now() - startedAt) / 1000;
  const facts = (await assembly.trainer.snapshot()).json as unknown as TrainerFacts;
  await assembly.trainer.close();
  if (predictionsFile !== null) {
    const classes = config.target.task === 'classification' ? assembly.states.derive.classes.names : null;
    writePredictions(predictionsFile, predictionsCsv(predictions, config.serve, classes));
  }
  const { outcomes } = progress;
  if (outcomes.rejected > 0) {
    process.stderr.write(
      `${outcomes.rejected} records cannot be used:\n${failures.map((line) => `  ${line}\n`).join('')}`,
    );
  }
  return {
    records: outcomes.read,
    outcomes,
    task: config.target.task,
    model: config.serve,
    metrics: facts.models[config.serve]?.metrics ?? {},
    baseline: facts.baseline,
    models: facts.models,
    weightsDigest: facts.weightsDigest,
    seconds,
    recordsPerSecond: seconds > 0 ? outcomes.read / seconds : 0,
  };
}

/** Bad records named on stderr at the most. */
const shownFailures = 5;

function writePredictions(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new ConfigError(
      'config.invalid',
      `--predictions ${file}: cannot be written. Name a file in an existing directory.`,
      {
        cause: error,
      },
    );
  }
}

function printScores({ records, seconds, recordsPerSecond, models, baseline, model }: Evaluation): void {
  printLine(
    `${records} records in ${seconds.toFixed(1)} s (${Math.round(recordsPerSecond)}/s), predicted first and learned after:`,
  );
  for (const [name, { metrics }] of Object.entries(models)) {
    printLine(`  ${name.padEnd(12)} ${metricsText(metrics)}${name === model ? ' (served)' : ''}`);
  }
  printLine(`  ${'baseline'.padEnd(12)} ${metricsText(baseline.metrics)} (${baseline.kind})`);
}
