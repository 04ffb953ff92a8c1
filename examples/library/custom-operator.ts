// An operator of your own in the chain, which is put together by hand from the parts that a configuration describes: without
// checkpoints and a page, as `millrace evaluate` does.
import {
  assemble,
  batch,
  decode,
  derive,
  inlineTrainer,
  learn,
  loadConfig,
  normalize,
  silentTelemetry,
  type RowBlock,
  type StepReport,
} from 'millrace';
import { lastValueFrom, map, type MonoTypeOperatorFunction } from 'rxjs';

/** Takes what a sensor cannot have measured for missing. */
function measurable(column: number, lowest: number, highest: number): MonoTypeOperatorFunction<RowBlock> {
  return map((block) => {
    const { features, featureCount, rowCount } = block;
    for (let row = 0; row < rowCount; row += 1) {
      const at = row * featureCount + column;
      const value = features[at] ?? NaN;
      // The block's arrays are this operator's to write while it passes; NaN is missing.
      if (value < lowest || value > highest) features[at] = NaN;
    }
    return block;
  });
}

const { config } = loadConfig('examples/housing/housing.yaml');
const parts = await assemble({
  config,
  isBounded: true,
  telemetry: silentTelemetry,
  onReject: (block, index, reason, detail) => {
    console.error(`row ${block.offsets[index]}: ${reason}: ${detail}`);
  },
  makeTrainer: inlineTrainer,
});
let latest: StepReport | null = null as StepReport | null;
parts.trainer.onReport((report) => {
  latest = report;
});

const { source, states, trainer, telemetry } = parts;
const area = states.derive.columns.findIndex(({ name }) => name === 'area');
await lastValueFrom(
  source.blocks.pipe(
    decode(states.decode, parts),
    derive(states.derive, parts),
    measurable(area, 35, 195),
    normalize(states.normalize, telemetry),
    batch(states.batch, parts.batching),
    learn(trainer),
  ),
);
await trainer.close();
console.log(`${latest?.outcomes.trained} rows learned: mae ${latest?.models['main']?.metrics['mae']?.toFixed(0)}`);
