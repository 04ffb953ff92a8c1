import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { figuresOf, type Figure } from './figures.ts';
import type { Measurement } from './measure.ts';
import type { StageInput, StageName } from './stages.ts';
import { deepSubjects, subjects } from './subjects.ts';

/**
 * Runs a stage in a process of its own, so that neither memory nor compiled code of one stage colours another, and gives
 * its figures; none where it fails.
 */
export async function runStageApart(name: StageName, input: StageInput): Promise<readonly Figure[]> {
  const measurements = await measureApart(name, input);
  return measurements.flatMap((measurement) => {
    const subject = [...subjects, ...deepSubjects].find((each) => each.name === measurement.subject);
    if (subject === undefined) throw new Error(`${measurement.subject} is not in the table of subjects`);
    return figuresOf(subject, measurement);
  });
}

function measureApart(name: StageName, input: StageInput): Promise<readonly Measurement[]> {
  return new Promise((resolve) => {
    let measurements: readonly Measurement[] = [];
    const child = fork(fileURLToPath(new URL('./run-stage.ts', import.meta.url)), [name, JSON.stringify(input)]);
    child.on('message', (message) => {
      measurements = message as readonly Measurement[];
    });
    child.on('exit', () => {
      resolve(measurements);
    });
  });
}
