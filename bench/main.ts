import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { missing } from '../test/support/requirements.ts';
import { missingFigures, type Figure } from './figures.ts';
import { withKafka } from './kafka-input.ts';
import { fillLog } from './log-input.ts';
import { machine } from './machine.ts';
import { runStageApart } from './run-stage-apart.ts';
import { withInput } from './stage-input.ts';
import { kafkaStages, type StageInput, type StageName } from './stages.ts';
import { subjects } from './subjects.ts';
import { tableLine } from './table.ts';
import { partitions, topicRecords, topics } from './workload.ts';

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
  const figures: Figure[] = [];
  const excused = new Set<string>();
  await withInput(isShort, async (input) => {
    console.log(machine());
    console.log(`median of ${input.repetition.runs}, lowest … highest\n`);
    await fillLog(topics.long, partitions, topicRecords(input).long, input);
    const reason = missing('kafka-4.3.1');
    const benches = reason === undefined ? [benchLocal, benchKafka] : [benchLocal];
    // Side by side only where nobody looks at how fast it is: a broker takes seconds to start.
    if (isShort) figures.push(...(await Promise.all(benches.map((each) => each(input)))).flat());
    else for (const each of benches) figures.push(...(await each(input)));
    if (reason === undefined) return;
    console.log(`skipped what needs Kafka: ${reason}`);
    // Only a smoke test may do without.
    if (isShort) for (const { name, stage } of subjects) if (kafkaStages.has(stage)) excused.add(name);
  });
  if (jsonFile !== null) writeFileSync(jsonFile, `${JSON.stringify(figures, null, 2)}\n`);
  const lacking = missingFigures(figures, excused);
  if (lacking.length > 0) console.error(`\nmissing: ${lacking.join(', ')}`);
  return lacking.length === 0 ? 0 : 1;
}

function benchLocal(input: StageInput): Promise<readonly Figure[]> {
  return runStages((name) => !kafkaStages.has(name), input);
}

function benchKafka(input: StageInput): Promise<readonly Figure[]> {
  return withKafka(input, (filled) => runStages((name) => kafkaStages.has(name), filled));
}

/** Runs the wanted stages one after another and prints their figures as they come. */
async function runStages(isWanted: (name: StageName) => boolean, input: StageInput): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const wanted = new Set(subjects.map(({ stage }) => stage).filter(isWanted));
  for (const name of wanted) {
    const found = await runStageApart(name, input);
    for (const figure of found) console.log(tableLine(figure));
    figures.push(...found);
  }
  return figures;
}
