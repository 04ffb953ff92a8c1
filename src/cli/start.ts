import { existsSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { avroEncoder } from '../codecs/avro-encoder.ts';
import { schemaFileText } from '../codecs/schema-file.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError } from '../errors.ts';
import { playReadings } from '../sensors/play-readings.ts';
import { replay } from '../sensors/replay.ts';
import { readCsvTable } from '../sources/csv/csv-table.ts';
import { commandLogger } from './command-logger.ts';
import { printLine } from './command-output.ts';
import { positiveInteger } from './command-options.ts';
import { collectLessOften } from './heap-growth.ts';
import { logSink } from './reading-sinks.ts';
import { announce, report, runPipeline, withSeed, type RunOptions } from './run.ts';
import { startService, type Service } from '../service/service.ts';
import { onStopSignal } from './stop-signals.ts';
import { summaryLines } from '../service/summary.ts';
import { watchProgress } from './watch-progress.ts';

const configFile = 'examples/weather/weather.yaml';
const readingsFile = 'examples/weather/weather.csv.gz';
/** A year of weather passes in this time, unless `--once` plays it unthrottled. */
const playSeconds = 90;
const pollMs = 100;

/** `npm start`: the main job with nothing to install. */
export function defineStart(command: Command): void {
  command
    .option('--once', 'play unthrottled, print the scores, and exit')
    .option('--fresh', 'start anew; the old log and state are kept beside the new ones')
    .option('--seed <n>', 'seed of the models (default: that of the configuration)', positiveInteger)
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', '\nExample:\n  npm start -- --once')
    .action(async (options: RunOptions) => {
      const config = withSeed(loadConfig(configFile).config, options.seed);
      if (options.fresh) moveLogAside(config);
      await (options.once ? learnOnce(config, options) : learnLive(config, options));
    });
}

/** Plays the whole year into the log, then learns it to its end: batches are sealed by count, so every run has the same. */
async function learnOnce(config: Config, options: RunOptions): Promise<void> {
  await playWeather(config, null, new AbortController().signal);
  await runPipeline({ ...config, batch: { rows: config.batch.rows } }, options);
}

/** Plays the year as sensors do while the pipeline follows the log, says the scores, and serves on. */
async function learnLive(config: Config, options: RunOptions): Promise<void> {
  collectLessOften();
  const logger = await commandLogger();
  const service = await startService({ config, isBounded: false, isFresh: options.fresh === true, logger });
  announce(service, config, logger);
  const stop = new AbortController();
  void onStopSignal(config.shutdownTimeout, () => {
    stop.abort();
    service.stop();
  });
  const unwatch = watchProgress(service, logger);
  const played = playWeather(config, playSeconds, stop.signal).then((total) => allLearned(service, total, stop.signal));
  try {
    await Promise.race([played, service.ended]);
    unwatch();
    if (!stop.signal.aborted) sayScores(service, config);
    report(await service.ended, config, options);
  } finally {
    stop.abort();
    unwatch();
    await service.close();
  }
}

/** Appends the readings that the log does not hold yet; resolves with their number in the log. */
async function playWeather(config: Config, seconds: number | null, signal: AbortSignal): Promise<number> {
  const { source, decode } = config;
  if (source.kind !== 'log' || decode.kind !== 'avro' || decode.schemaFile === undefined) {
    throw new ConfigError(
      'config.invalid',
      `${configFile}: npm start plays into source.log with decode.avro.schemaFile`,
    );
  }
  const { dir, topic } = source;
  const readings = replay(await readCsvTable(readingsFile, 'weather'), {
    topic,
    keyField: config.key,
    timeField: config.time?.field,
  });
  const sink = await logSink({ dir, topic });
  try {
    const encode = avroEncoder(schemaFileText(decode.schemaFile), 1);
    const ratePerSecond = seconds === null ? null : readings.count / seconds;
    return (await playReadings(readings, sink, encode, { ratePerSecond, signal })).total;
  } finally {
    await sink.close();
  }
}

/** Resolves when every reading has been through the trainer, or `signal` aborts. */
async function allLearned(service: Service, total: number, signal: AbortSignal): Promise<void> {
  const isLearned = (): boolean => {
    const { outcomes, report: latest } = service.progress;
    return outcomes.read >= total && outcomes.pending === (latest?.outcomes.pending ?? 0);
  };
  while (!isLearned() && !signal.aborted) await sleep(pollMs, undefined, { signal }).catch(() => undefined);
}

function sayScores({ board, progress, url }: Service, { serve }: Config): void {
  board.finish();
  const { report: latest, outcomes, outcomesOfRun } = progress;
  if (latest === null) return;
  printLine(outcomesOfRun.read === 0 ? 'All readings were learned by earlier starts.' : 'All readings are learned.');
  for (const line of summaryLines({ ...latest, records: outcomes }, serve)) printLine(line);
  printLine(`The page stays at ${url}; stop with Ctrl+C. To start anew: npm start -- --fresh`);
}

/** `--fresh` plays the year again, into a new log; the old one stays beside it. */
function moveLogAside({ source }: Config): void {
  if (source.kind !== 'log' || !existsSync(source.dir)) return;
  renameSync(source.dir, `${source.dir}-old-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
}
