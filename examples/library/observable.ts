// Learns from any Observable: here what a pump's sensors say, merged and filtered with operators of RxJS.
import { configOf, rowSource, startPipeline } from 'millrace';
import { filter, map, range, skip, zip } from 'rxjs';

const minutes = 5_000;
const flow = range(0, minutes).pipe(map((minute) => 20 + 5 * Math.sin(minute / 60)));
const pressure = range(0, minutes).pipe(map((minute) => 3 + Math.cos(minute / 45)));

const readings = zip(flow, pressure).pipe(
  filter(([litres]) => litres > 15.1),
  map(([litres, bar]) => ({ litres, bar, watts: 40 + 1.9 * litres * bar })),
);

const config = configOf({
  name: 'pump',
  source: { program: { topic: 'readings' } },
  features: ['litres', 'bar'],
  target: 'watts',
  batch: { rows: 16 },
  models: { main: { mlp: { hidden: [16] } } },
  training: { learningRate: 0.01 },
  checkpoint: { dir: '.millrace/library/pump' },
  http: { port: 0 },
});

// A second run goes on where the first ended, so it asks for the readings behind.
const running = await startPipeline({
  config,
  source: (context) => rowSource((offset) => readings.pipe(skip(offset)), context),
});
const { records, metrics, baseline } = await running.ended;
console.log(
  `${records.trained} readings learned: mae ${metrics['mae']?.toFixed(2)}, of their mean ${Number(baseline['mae']).toFixed(2)}`,
);
await running.close();
