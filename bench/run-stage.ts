import { stages, type StageInput, type StageName } from './stages.ts';

// The process of one stage: told what to do by its arguments, it answers with its measurements.
const [, , name, input] = process.argv;
const stage = await stages[name as StageName]();
const measurements = await stage(JSON.parse(input ?? '') as StageInput);
process.send?.(measurements, () => {
  process.exit();
});
