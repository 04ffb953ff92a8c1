// Checks the import table; a cruise that saw no module checked nothing and fails too.
import { cruise } from 'dependency-cruiser';
import { createRequire } from 'node:module';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const ruleSet = createRequire(import.meta.url)('../.dependency-cruiser.cjs');
const { output, exitCode } = await cruise(
  ['src'],
  { ...ruleSet.options, ruleSet: { forbidden: ruleSet.forbidden }, validate: true, outputType: 'err-long' },
  undefined,
  { tsConfig: extractTSConfig('tsconfig.json') },
);
process.stdout.write(String(output));
const seen = Number(/(\d+) modules/.exec(String(output))?.[1] ?? 0);
if (seen === 0) throw new Error('dependency-cruiser saw no module: nothing was checked');
process.exitCode = exitCode;
