import type { Worker } from 'node:worker_threads';
import { messageOf, TrainerError } from '../../errors.ts';
import type { Rows } from '../learner.ts';
import { float32Array, type Arrays } from '../snapshot-parts.ts';
import { startThread } from '../start-thread.ts';
import { readiness } from '../thread-readiness.ts';
import type { TrainerOptions } from '../trainer.ts';
import type { ScoringAnswer, ScoringReady, ScoringRequest, ScoringSetup } from './scoring-protocol.ts';

/** Weights of one state of a model: a value, which nothing changes. */
export type LayersWeights = readonly Float32Array[];

/** Runs the models from files for those that serve, by the weights that they bring, apart from what trains. */
export interface LayersScoring {
  /**
   * Copies of the weights in the state of a model.
   * @throws CheckpointError where the state is not of its layers.
   */
  weightsOf(model: string, state: Arrays): LayersWeights;
  /**
   * Raw outputs, [rowCount × outputCount], all by these weights; NaN for a row that the layers cannot take. The caller limits how
   * many are asked for at a time.
   * @throws TrainerError where the thread has ended.
   */
  outputs(model: string, weights: LayersWeights, rows: Rows): Promise<Float32Array>;
  /** Rejects with a `TrainerError` when the thread dies; never resolves. */
  readonly failed: Promise<never>;
  /** Ends the thread; what waits for an answer is rejected. */
  close(): Promise<void>;
}

/**
 * Starts a thread for the models that are from files; null where none is. TensorFlow.js is loaded there, not in this thread, and a
 * recurrent model may take milliseconds for a row, tens for many, without holding up anything else.
 * @throws ConfigError where a file is no model of this pipeline; TrainerError where the thread dies at its start.
 */
export async function layersScoring(
  options: Pick<TrainerOptions, 'models' | 'featureCount' | 'maxClasses'>,
): Promise<LayersScoring | null> {
  const specs = Object.entries(options.models);
  const files = Object.fromEntries(
    specs.flatMap(([name, spec]) => (spec.kind === 'layers' ? [[name, spec.file]] : [])),
  );
  if (Object.keys(files).length === 0) return null;
  const setup: ScoringSetup = { files, featureCount: options.featureCount, outputCount: options.maxClasses };
  const worker = startThread('layers/scoring-thread', { workerData: setup });
  const { weights } = await readiness<ScoringReady>(worker, 'the thread that predicts with layers');
  return new ThreadScoring(worker, weights);
}

interface Waiting {
  readonly resolve: (outputs: Float32Array) => void;
  readonly reject: (error: Error) => void;
}

class ThreadScoring implements LayersScoring {
  readonly failed: Promise<never>;
  readonly #worker: Worker;
  readonly #sizes: ScoringReady['weights'];
  /** By whose weights each model predicted last. */
  readonly #held = new Map<string, LayersWeights>();
  /** In the order of the requests. */
  readonly #waiting: Waiting[] = [];
  /** Why nothing more can be asked for. */
  #ending: TrainerError | null = null;

  constructor(worker: Worker, sizes: ScoringReady['weights']) {
    this.#worker = worker;
    this.#sizes = sizes;
    worker.on('message', (answer: ScoringAnswer) => {
      this.#hear(answer);
    });
    this.failed = new Promise((_, reject) => {
      worker.once('error', (cause) => {
        reject(this.#end(`died: ${messageOf(cause)}`, cause));
      });
      worker.once('exit', (code) => {
        // One that was closed has ended already.
        if (this.#ending === null) reject(this.#end(`ended with code ${code}`));
      });
    });
    // Whoever looks decides; unseen it must not end the process.
    this.failed.catch(() => undefined);
    // It keeps nobody alive but those who wait for it.
    worker.unref();
  }

  weightsOf(model: string, state: Arrays): LayersWeights {
    return this.#sizes[model]!.map(({ name, size }) => float32Array(state, name, size).slice());
  }

  outputs(model: string, weights: LayersWeights, { rowCount, featureCount, features }: Rows): Promise<Float32Array> {
    if (this.#ending !== null) return Promise.reject(this.#ending);
    if (rowCount === 0) return Promise.resolve(new Float32Array(0));
    const sent = features.slice(0, rowCount * featureCount);
    // Requests are answered in order, so those that follow find what this one brings.
    const isHeld = this.#held.get(model) === weights;
    const request: ScoringRequest = { model, weights: isHeld ? null : weights, rowCount, features: sent };
    this.#held.set(model, weights);
    if (this.#waiting.length === 0) this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, [sent.buffer]);
    });
  }

  async close(): Promise<void> {
    this.#end('is closed');
    await this.#worker.terminate();
  }

  #hear(outputs: ScoringAnswer): void {
    // Whoever waited has been told already.
    if (this.#ending !== null) return;
    this.#waiting.shift()!.resolve(outputs);
    if (this.#waiting.length === 0) this.#worker.unref();
  }

  /** Rejects what waits; the first reason counts. */
  #end(how: string, cause?: unknown): TrainerError {
    this.#ending ??= new TrainerError('trainer.failed', `the thread that predicts with layers ${how}`, { cause });
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ending);
    return this.#ending;
  }
}
