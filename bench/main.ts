import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kafkaSink, logSink } from '../src/cli/reading-sinks.ts';
import { missing } from '../test/support/requirements.ts';
import { serveBatches } from '../test/support/kafka/serve-batches.ts';
import { startKafka } from '../test/support/kafka/start-kafka.ts';
import { fetchTopicPartitions } from './fetch-topics.ts';
import { missingFigures, type Figure } from './figures.ts';
import { runStageApart } from './run-stage-apart.ts';
import { kafkaStages, stages, type StageInput, type StageName } from './stages.ts';
import { subjects } from './subjects.ts';
import { tableLine } from './table.ts';
import { fillTopic, partitions, schemaText, topicRecords, topics } from './workload.ts';

const usage = `npm run bench -- [--short] [--json FILE]

Measures every stage of the pipeline, each in a process of its own, and prints medians with their spread.
  --short      small inputs, one run each: shows that everything runs, not how fast
  --json FILE  writes [{"name","value","unit","better","runs","against","note"}]

Example:
  npm run bench -- --json bench.json`;

const { values: options } = parseArgs({
  options: { short: { type: 'boolean', default: false }, json: { type: 'string' }, help: { type: 'boolean' } },
});
if (options.help === true) console.log(usage);
else process.exitCode = await bench(options.short, options.json ?? null);

/** Measures everything; the exit code says whether the table is whole. */
async function bench(isShort: boolean, jsonFile: string | null): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const figures: Figure[] = [];
  const excused = new Set<string>();
  try {
    const input: StageInput = {
      isShort,
      repetition: isShort ? { warmUps: 0, runs: 1 } : { warmUps: 1, runs: 5 },
      schemaFile: join(dir, 'reading.avsc'),
      logDir: join(dir, 'log'),
      bootstrap: '',
    };
    writeFileSync(input.schemaFile, schemaText);
    console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`);
    console.log(`median of ${input.repetition.runs}, lowest … highest\n`);
    const reason = missing('kafka-4.3.1');
    const benches = reason === undefined ? [benchLocal, benchKafka] : [benchLocal];
    // Side by side only where nobody looks at how fast it is: a broker takes seconds to start.
    if (isShort) figures.push(...(await Promise.all(benches.map((each) => each(input)))).flat());
    else for (const each of benches) figures.push(...(await each(input)));
    if (reason !== undefined) {
      console.log(`skipped what needs Kafka: ${reason}`);
      // Only a smoke test may do without.
      if (isShort) for (const { name, stage } of subjects) if (kafkaStages.has(stage)) excused.add(name);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  if (jsonFile !== null) writeFileSync(jsonFile, `${JSON.stringify(figures, null, 2)}\n`);
  const lacking = missingFigures(figures, excused);
  if (lacking.length > 0) console.error(`\nmissing: ${lacking.join(', ')}`);
  return lacking.length === 0 ? 0 : 1;
}

async function benchLocal(input: StageInput): Promise<readonly Figure[]> {
  const records = topicRecords(input);
  for (const length of ['long', 'short'] as const) {
    await fillTopic(await logSink({ dir: input.logDir, topic: topics[length], partitions }), records[length], input);
  }
  return runStages((name) => !kafkaStages.has(name), input);
}

async function benchKafka(input: StageInput): Promise<readonly Figure[]> {
  const kafka = await startKafka();
  try {
    const { bootstrap } = kafka;
    await serveBatches(kafka, await fetchTopicPartitions(input));
    const sink = await kafkaSink({ brokers: [bootstrap], topic: topics.short, partitions });
    await fillTopic(sink, topicRecords(input).short, input);
    return await runStages((name) => kafkaStages.has(name), { ...input, bootstrap });
  } finally {
    await kafka.stop();
  }
}

/** Runs the wanted stages one after another and prints their figures as they come. */
async function runStages(isWanted: (name: StageName) => boolean, input: StageInput): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const name of (Object.keys(stages) as StageName[]).filter(isWanted)) {
    const found = await runStageApart(name, input);
    for (const figure of found) console.log(tableLine(figure));
    figures.push(...found);
  }
  return figures;
}
