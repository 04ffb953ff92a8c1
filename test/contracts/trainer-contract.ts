import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ConfigError, TrainerError } from '../../src/errors.ts';
import type { JsonValue, Snapshot, StepReport } from '../../src/records.ts';
import type { BackendName, Trainer, TrainerOptions } from '../../src/trainer/trainer.ts';
import { temporaryDirectory } from '../support/command.ts';
import { modelFile, netsOfThree } from '../support/model-files.ts';
import { withoutNativeBuild } from '../support/native-build.ts';
import { batches, batchOf, readings, trainerOptions } from '../trainer/support.ts';

export type MakeTrainer = (options: TrainerOptions, snapshot: Snapshot | null) => Promise<Trainer>;

const hourMs = 3_600_000;
const dir = temporaryDirectory({ after });

const layersOf = (net: string): TrainerOptions['models'] => ({
  main: { kind: 'layers', file: modelFile(join(dir, net), netsOfThree[net]!) },
});

const adam: TrainerOptions['training'] = {
  optimizer: { kind: 'adam' },
  learningRate: 0.02,
  clipNorm: 1,
  precision: 'float32',
  loss: { kind: 'mse' },
};

const kinds: Readonly<Record<string, Partial<TrainerOptions>>> = {
  'linear, SGD': {},
  'linear, Adam, horizon, change': {
    horizonMs: hourMs,
    targetAs: 'change',
    training: adam,
  },
  'mlp, Adam, horizon, change': {
    models: { main: { kind: 'mlp', hidden: [8], activation: 'relu' }, shadow: { kind: 'linear' } },
    horizonMs: hourMs,
    targetAs: 'change',
    training: adam,
  },
  'mlp, SGD': { models: { main: { kind: 'mlp', hidden: [8, 4], activation: 'tanh' } } },
  'mlp, classes, Adam': {
    models: { main: { kind: 'mlp', hidden: [8], activation: 'sigmoid' }, shadow: { kind: 'linear' } },
    task: 'classification',
    maxClasses: 4,
    training: { ...adam, clipNorm: null },
  },
  'layers, dropout, Adam, horizon, change': {
    models: layersOf('dropout'),
    horizonMs: hourMs,
    targetAs: 'change',
    training: adam,
  },
  'layers, batch norm, SGD': { models: layersOf('batch norm') },
};

function streamOf({ task }: TrainerOptions): ReturnType<typeof batches> {
  return batches(readings(160, 3, task === 'classification' ? 3 : 0), 16);
}

function digestOf({ json }: Snapshot): JsonValue | undefined {
  return (json as { readonly [key: string]: JsonValue })['weightsDigest'];
}

/** What every trainer keeps, whatever thread it learns on; of the kinds of models those whose name `wanted` takes. */
export function trainerContract(
  name: string,
  make: MakeTrainer,
  wanted: (kind: string) => boolean = () => true,
  backend: BackendName = 'cpu',
): void {
  async function run(options: TrainerOptions, work: (trainer: Trainer) => Promise<void>, from: Snapshot | null = null) {
    const trainer = await make(options, from);
    try {
      await work(trainer);
    } finally {
      await trainer.close();
    }
  }

  describe(name, () => {
    for (const [kind, changes] of Object.entries(kinds).filter(([kind]) => wanted(kind))) {
      it(`stopped, saved, restored and continued, ends bit by bit as uninterrupted (${kind})`, async () => {
        const options = trainerOptions({ ...changes, backend });
        const stream = streamOf(options);
        const saved: Snapshot[] = [];
        await run(options, async (trainer) => {
          for (const batch of stream) {
            await trainer.observe(batch);
            saved.push(await trainer.snapshot());
          }
        });
        const [half, whole] = [saved[4]!, saved.at(-1)!];
        await run(
          options,
          async (trainer) => {
            assert.deepEqual(await trainer.snapshot(), half);
            for (const batch of stream.slice(5)) await trainer.observe(batch);
            assert.deepEqual(await trainer.snapshot(), whole);
          },
          half,
        );
        assert.notEqual(digestOf(half), digestOf(whole));
      });
    }

    it('gives one report per batch, in order, all before a snapshot asked for after them', async () => {
      const reports: StepReport[] = [];
      await run(trainerOptions(), async (trainer) => {
        trainer.onReport((report) => reports.push(report));
        const stream = [...batches(readings(48), 16), batchOf([]), ...batches(readings(5), 5)];
        await Promise.all(stream.map((batch) => trainer.observe(batch)));
        await trainer.snapshot();
        assert.deepEqual(
          reports.map(({ rowCount }) => rowCount),
          [16, 16, 16, 0, 5],
        );
        assert.deepEqual(reports.at(-1)!.outcomes, { trained: 53, rejected: 0, unlabelled: 0, pending: 0 });
        assert.equal(reports.at(-1)!.models['main']!.steps, 4);
      });
    });

    it('does not change the batch, nor look at it after observe resolved', async () => {
      const digests: (JsonValue | undefined)[] = [];
      for (const isSpoiled of [false, true]) {
        await run(trainerOptions({ horizonMs: hourMs }), async (trainer) => {
          for (const batch of batches(readings(64), 16)) {
            const before = structuredClone({ ...batch, release: null });
            await trainer.observe(batch);
            assert.deepEqual({ ...batch, release: null }, before);
            if (isSpoiled) for (const array of [batch.features, batch.targets, batch.timesMs]) array.fill(NaN);
          }
          digests.push(digestOf(await trainer.snapshot()));
        });
      }
      assert.equal(digests[0], digests[1]);
    });

    it('learns more batches than its ring has slots without losing one', async () => {
      const options = trainerOptions({ batchRows: 1, ringBytes: 400 });
      await run(options, async (trainer) => {
        assert.ok(trainer.ring.slots < 10);
        await Promise.all(batches(readings(200), 1).map((batch) => trainer.observe(batch)));
        const { json } = await trainer.snapshot();
        assert.equal((json as { readonly step: number }).step, 200);
        assert.equal(trainer.ring.depth, 0);
      });
    });

    it('answers calls after close with a TrainerError, and closes twice', async () => {
      const trainer = await make(trainerOptions(), null);
      await trainer.close();
      await trainer.close();
      await assert.rejects(trainer.observe(batchOf(readings(1))), TrainerError);
      await assert.rejects(trainer.snapshot(), TrainerError);
    });

    it('refuses a backend that does not work here with a ConfigError that says why', async () => {
      const options = trainerOptions({
        backend: 'tensorflow',
        models: { main: { kind: 'mlp', hidden: [2], activation: 'relu' } },
      });
      await withoutNativeBuild(() =>
        assert.rejects(
          make(options, null),
          (error) =>
            error instanceof ConfigError && error.message.includes('tensorflow: its native addon is not built'),
        ),
      );
    });
  });
}
