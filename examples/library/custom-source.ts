// A source of your own: lines of a file, one JSON object each. A broken line goes to the dead letters, as from every source.
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  configOf,
  maxBlockRecords,
  startPipeline,
  valueBlock,
  type RecordBlock,
  type Source,
  type SourceContext,
} from 'millrace';
import { defer, from } from 'rxjs';

/** Lines of a file: partition 0, offset = number of the line. */
function lineSource(file: string, context: SourceContext): Source {
  const abort = new AbortController();
  return {
    blocks: defer(() => from(blocksOf(file, context, abort.signal))),
    commit: () => Promise.resolve(),
    close: () => {
      abort.abort();
      return Promise.resolve();
    },
  };
}

async function* blocksOf(file: string, context: SourceContext, signal: AbortSignal): AsyncGenerator<RecordBlock> {
  const { topic, positions, credit, telemetry } = context;
  // Goes on where the checkpoint says, so that no line is learned twice.
  let firstOffset = positions[0]?.nextOffset ?? 0;
  let lineNumber = 0;
  let values: Buffer[] = [];
  const takeBlock = (): RecordBlock => {
    const place = { topic, partition: 0, epoch: 0, firstOffset, endOffset: -1, nowMs: Date.now() };
    const block = valueBlock(values, place, (bytes) => credit.take(bytes));
    firstOffset = block.nextOffset;
    values = [];
    return block;
  };

  telemetry.emit({ type: 'sourceJoined' });
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (lineNumber++ < firstOffset) continue;
    values.push(Buffer.from(line));
    if (values.length < maxBlockRecords) continue;
    // Back-pressure: waits until enough of the blocks before it are learned.
    await credit.available(signal);
    if (signal.aborted) return;
    yield takeBlock();
  }
  if (values.length > 0) yield takeBlock();
  yield { ...takeBlock(), isEndOfInput: true };
}

const file = '.millrace/library/boiler.ndjson';
mkdirSync('.millrace/library', { recursive: true });
const lines = Array.from({ length: 3_000 }, (_, hour) => {
  const outside = 8 + 12 * Math.sin(hour / 24);
  return JSON.stringify({ outside, kilowatts: 30 - 1.2 * outside });
});
writeFileSync(file, [...lines, '{"outside": 4.5, "kilo'].join('\n'));

const config = configOf({
  name: 'boiler',
  source: { program: { topic: 'boiler' } },
  decode: 'json',
  features: ['outside'],
  target: 'kilowatts',
  batch: { rows: 16 },
  training: { optimizer: 'sgd', learningRate: 0.05 },
  checkpoint: { dir: '.millrace/library/boiler' },
  http: { port: 0 },
});
const running = await startPipeline({ config, source: (context) => lineSource(file, context) });
const { records, metrics } = await running.ended;
console.log(
  `${records.read} lines: ${records.trained} learned, ${records.rejected} rejected; mae ${metrics['mae']?.toFixed(2)}`,
);
await running.close();
