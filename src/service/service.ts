import { lastValueFrom } from 'rxjs';
import type { ErrorCode } from '../error-codes.ts';
import { messageOf } from '../errors.ts';
import type { CheckpointFacts } from '../checkpoint/manifest.ts';
import type { Checkpoint } from '../checkpoint/checkpoint-store.ts';
import type { Config } from '../config/config.ts';
import { metricsTelemetry, type MetricsTelemetry } from '../metrics/metrics-telemetry.ts';
import { tensorboardTelemetry, type TensorboardTelemetry } from '../metrics/tensorboard.ts';
import { pipeline } from '../pipeline.ts';
import { Progress } from '../progress.ts';
import { httpServer, type HttpServer } from '../serving/http-server.ts';
import { StatusBoard } from '../serving/status-board.ts';
import type { StepReport } from '../records.ts';
import type { MakeSource } from '../sources/source.ts';
import { tellAll, type Telemetry } from '../telemetry.ts';
import { layersScoring, type LayersScoring } from '../trainer/layers/layers-scoring.ts';
import { workerTrainer } from '../trainer/worker-trainer.ts';
import { assemble, type Assembly } from './assembly.ts';
import { checkpointing, type TrainerFacts } from './checkpointing.ts';
import { LivePredictor } from './versions/live-predictor.ts';
import { letterBox, type LetterBox } from './letters/letter-box.ts';
import { LetterPreview } from './letters/letter-preview.ts';
import { logTelemetry, type PipelineLogger } from './log-telemetry.ts';
import { Promotion } from './versions/promotion.ts';
import { rejectAlarm, type RejectAlarm } from './reject-alarm.ts';
import { savedCheckpoints } from './saved-checkpoints.ts';
import type { TopicScoring } from './scoring/score-topic.ts';
import { sensitiveFields } from './letters/sensitive-fields.ts';
import { configDigest, openDeadLetters, openState, shapeOf, type OpenState } from './state.ts';
import { trainerOptions } from './trainer-options.ts';
import { version } from './version.ts';
import { watchedFeatures, type WatchedFeatures } from './watched-features.ts';

export interface ServiceOptions {
  readonly config: Config;
  /** Read to the end that the input has now, then stop. */
  readonly isBounded: boolean;
  readonly isFresh: boolean;
  readonly logger: PipelineLogger;
  /** Needed where the configuration says `source: program`, and unused elsewhere. */
  readonly source?: MakeSource | undefined;
}

/** How a run ended: what was saved last, and why it stopped reading early if it did. */
export interface Ending {
  readonly facts: CheckpointFacts;
  readonly halted: string | null;
  readonly seconds: number;
  /** Records read by this run alone. */
  readonly recordsRead: number;
}

/** A pipeline that runs, with its page and metrics. */
export interface Service {
  readonly url: string;
  readonly board: StatusBoard;
  readonly progress: Progress;
  readonly checkpoint: Checkpoint | null;
  /** Resolves when the input has ended, `stop` was called, or a limit halted reading; rejects when the pipeline failed. */
  readonly ended: Promise<Ending>;
  /** Rejects where what serves has failed, also when a limit has halted reading before; never resolves. */
  readonly failed: Promise<never>;
  /** Stops reading, learns what is on its way to the trainer, saves it; `ended` resolves then. */
  stop(): void;
  /** Ends the page and gives the state back. */
  close(): Promise<void>;
}

/** Starts what `millrace run` runs: the page first, so that people see what it waits for. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config } = options;
  const watch = new Watch(options);
  const state = openState(config, options.isFresh, watch.telemetry);
  try {
    const http = await watch.serve(config);
    try {
      return await new RunningService(options, watch, state, http).start();
    } catch (error) {
      await http.close();
      throw error;
    }
  } catch (error) {
    state.store.close();
    throw error;
  }
}

/** Everything that watches a pipeline: progress first, since the others show its numbers. */
class Watch {
  readonly progress = new Progress();
  readonly board = new StatusBoard(this.progress);
  readonly metrics: MetricsTelemetry = metricsTelemetry(this.progress);
  readonly alarm: RejectAlarm;
  readonly tensorboard: TensorboardTelemetry | null;
  readonly telemetry: Telemetry;
  /** Both set when the pipeline stands. */
  predictor: LivePredictor | null = null;
  promotion: Promotion | null = null;

  constructor({ config, logger }: ServiceOptions) {
    this.alarm = rejectAlarm(config.limits.rejectRatio, (share) => {
      const percent = Math.round(100 * share);
      this.onHalt(
        'records.rejectRatio',
        `${percent} % of the last records cannot be used, more than limits.rejectRatio; see the dead letters`,
      );
    });
    const { dir } = config.tensorboard ?? {};
    const onTrouble = (cause: unknown): void => {
      logger.warn(`tensorboard.dir ${dir}: ${messageOf(cause)}; no more curves are written until the next start`);
    };
    this.tensorboard = dir === undefined ? null : tensorboardTelemetry({ dir, progress: this.progress, onTrouble });
    const listeners = [this.progress, this.board, this.metrics, logTelemetry(logger), this.alarm];
    this.telemetry = tellAll(this.tensorboard === null ? listeners : [...listeners, this.tensorboard]);
  }

  /** Called when a limit says that reading must stop; set by whoever can stop it. */
  onHalt: (code: ErrorCode, message: string) => void = () => undefined;

  serve(config: Config): Promise<HttpServer> {
    return httpServer(
      { ...config.http, token: config.http.token ?? null },
      {
        status: () => this.board.status(),
        statusVersion: () => this.board.version,
        notReady: () => this.board.reasons.map(({ message }) => message),
        metrics: (accept) => this.metrics.expose(accept),
        onAnswer: (request) => {
          this.metrics.answered(request);
        },
        version,
        predictions: {
          name: config.name,
          served: config.serve,
          models: Object.keys(config.models),
          unready: 'no model is served yet: the first is that of the first checkpoint',
          predictor: () => this.predictor,
          onPredicted: (rows) => {
            this.metrics.predicted(rows);
          },
        },
        versions: () => this.promotion,
      },
    );
  }
}

class RunningService {
  readonly #options: ServiceOptions;
  readonly #watch: Watch;
  readonly #state: OpenState;
  readonly #http: HttpServer;
  /** Aborts when nothing more shall be read, */
  readonly #closing = new AbortController();
  /** and when the process is to end as well. */
  readonly #stopping = new AbortController();
  #halted: string | null = null;
  #scoring: TopicScoring | null = null;
  #layers: LayersScoring | null = null;

  constructor(options: ServiceOptions, watch: Watch, state: OpenState, http: HttpServer) {
    this.#options = options;
    this.#watch = watch;
    this.#state = state;
    this.#http = http;
  }

  async start(): Promise<Service> {
    const { config, isBounded, source } = this.#options;
    const { checkpoint } = this.#state;
    const preview = new LetterPreview(sensitiveFields(config));
    const letters = letterBox(await openDeadLetters(config, checkpoint), this.#watch.board, preview);
    const assembly = await assemble({
      config,
      isBounded,
      source,
      restored: checkpoint === null ? null : { positions: checkpoint.manifest.positions, parts: checkpoint.parts },
      wantsPredictions: false,
      telemetry: this.#watch.telemetry,
      onReject: letters.onReject,
      makeTrainer: workerTrainer,
    });
    preview.use(assembly.codec, assembly.plan);
    this.#describe(assembly);
    let promotion: Promotion;
    try {
      promotion = await this.#serve(assembly);
    } catch (error) {
      // A thread left behind would keep a failed process alive.
      await assembly.trainer.close();
      await this.#layers?.close();
      throw error;
    }
    const features = watchedFeatures(assembly.plan, assembly.states.derive, sensitiveFields(config));
    this.#show(assembly, features);
    await this.#scoreTopic(assembly);
    this.#watch.onHalt = (code, message) => {
      this.#halt(code, message, assembly);
    };
    this.#listen(assembly, letters);
    const helpers = [promotion, this.#layers, this.#scoring].filter((helper) => helper !== null);
    const failed = Promise.race(helpers.map((helper) => helper.failed));
    // Whoever looks decides; unseen it must not end the process.
    failed.catch(() => undefined);
    return {
      url: this.#http.url,
      board: this.#watch.board,
      progress: this.#watch.progress,
      checkpoint,
      ended: this.#run({ ...assembly, onRows: features.take }, letters, promotion, failed),
      failed,
      stop: () => {
        this.#stop(assembly);
      },
      close: async () => {
        await this.#scoring?.close();
        await letters.close();
        this.#watch.tensorboard?.close();
        await this.#http.close();
        await promotion.close();
        await this.#layers?.close();
        this.#state.store.close();
      },
    };
  }

  /** Tells everyone who watches what runs here and from where it goes on. */
  #describe({ trainer, credit, states }: Assembly): void {
    const { config } = this.#options;
    const { board, metrics, progress } = this.#watch;
    const { checkpoint } = this.#state;
    const { name: backend, device, refused } = trainer.backend;
    if (device !== '') {
      const others = refused.map(({ name, reason }) => `; not on ${name}: ${reason}`);
      this.#options.logger.info(`trains on ${backend}: ${device}${others.join('')}`);
    }
    if (checkpoint !== null) {
      const trainerFacts = checkpoint.parts.get('trainer')?.json as unknown as TrainerFacts;
      progress.restore(checkpoint.manifest.records, trainerFacts.outcomes, savedReport(trainerFacts));
    }
    board.describe({
      ...{ name: config.name, version, backend, served: config.serve, source: config.source.kind },
      ...{ keyField: config.key ?? null, targetField: config.target.field },
      horizonMs: config.target.horizon ?? null,
    });
    board.recall(savedCheckpoints(this.#state.store.manifests(), config.serve));
    board.setCondition('model', null);
    metrics.describe({
      version,
      pipeline: config.name,
      configDigest: configDigest(config),
      backend,
      models: config.models,
      served: config.serve,
      originOf: (originId) => states.decode.origins.origin(originId),
    });
    metrics.poll(() => ({ ring: trainer.ring, credit, isReady: board.isReady }));
  }

  /** Predicts with the state of the stream as it is, by the version that was served before where there is one. */
  async #serve({ plan, states, telemetry }: Assembly): Promise<Promotion> {
    const { config } = this.#options;
    const { store, checkpoint } = this.#state;
    const facts = { featureCount: states.derive.featureCount, restoredRows: 0, wantsPredictions: false };
    this.#layers = await layersScoring(trainerOptions(config, facts));
    const predictor = new LivePredictor(config, plan, states.derive, this.#layers);
    const promotion = new Promotion({ config, store, predictor, telemetry });
    this.#watch.board.recallDecisions(promotion.decisions);
    if (checkpoint !== null) await promotion.resume(checkpoint);
    this.#watch.predictor = predictor;
    this.#watch.promotion = promotion;
    return promotion;
  }

  /** Begins to predict to a topic, where the configuration says so. */
  async #scoreTopic({ plan, telemetry }: Assembly): Promise<void> {
    const { config, isBounded } = this.#options;
    const { predictor } = this.#watch;
    if (config.predict === undefined || isBounded || predictor === null) return;
    const { scoreTopic } = await import('./scoring/score-topic.ts');
    this.#scoring = scoreTopic({ config, plan, predictor, telemetry });
  }

  /** Tells the page whom to ask for what no event tells. */
  #show({ trainer }: Assembly, features: WatchedFeatures): void {
    this.#watch.board.watch({
      load: () => ({ mainBusySeconds: performance.eventLoopUtilization().active / 1000, ring: trainer.ring }),
      features: features.status,
      trainedThrough: () => this.#watch.predictor?.version?.trainedThrough.time ?? null,
    });
  }

  #listen(assembly: Assembly, letters: LetterBox): void {
    const { config } = this.#options;
    const { telemetry, board } = this.#watch;
    const areKeysShown = !sensitiveFields(config).has(config.key ?? '');
    const { keys } = assembly.states.derive;
    assembly.trainer.onReport((report) => {
      for (const row of report.rejectedRows) letters.refuse(row, assembly.states);
      telemetry.emit({ type: 'batchObserved', report });
      if (report.worstKeys !== null) {
        board.noteWorstKeys(
          report.worstKeys.map(({ keyId, ...errors }) => ({ key: areKeysShown ? keys.keyOf(keyId) : null, ...errors })),
        );
      }
      if (report.withheldInARow < config.limits.withheldSteps) return;
      this.#halt(
        'trainer.withheld',
        `${report.withheldInARow} steps in a row were not finite; see the dead letters`,
        assembly,
      );
    });
  }

  async #run(
    assembly: Assembly,
    letters: LetterBox,
    promotion: Promotion,
    helpersFailed: Promise<never>,
  ): Promise<Ending> {
    const startedAt = performance.now();
    const { config, isBounded } = this.#options;
    const saved: { facts: CheckpointFacts | null } = { facts: null };
    const save = checkpointing({
      ...assembly,
      store: this.#state.store,
      deadLetters: letters.letters,
      shape: shapeOf(config),
      signal: this.#stopping.signal,
      patienceMs: isBounded ? config.connectTimeout : null,
    });
    const blocks = pipeline({
      ...assembly,
      stopping: this.#closing.signal,
      onBarrier: () => {
        letters.hold();
      },
      saveCheckpoint: async (barrier) => {
        const { id, facts, parts } = await save(barrier);
        saved.facts = facts;
        letters.release();
        const judged = promotion.offer({ ...facts, id, parts });
        // So that the same input makes the same decisions; a service learns on meanwhile.
        if (isBounded) await judged;
      },
    });
    const learned = lastValueFrom(blocks);
    try {
      await Promise.race([learned, assembly.trainer.failed, helpersFailed]);
    } catch (error) {
      // Where a helper has failed, what is learned can still be saved; and nothing may be once the state is given back.
      this.#stop(assembly);
      await Promise.race([learned, assembly.trainer.failed]).catch(() => undefined);
      throw error;
    } finally {
      // A thread left behind would keep a failed process alive.
      await assembly.trainer.close();
    }
    if (isBounded && !this.#stopping.signal.aborted) this.#watch.alarm.end();
    const { facts } = saved;
    if (facts === null) throw new Error('the stream ended without its last barrier');
    if (this.#halted === null && !this.#stopping.signal.aborted) this.#watch.board.finish();
    const seconds = (performance.now() - startedAt) / 1000;
    return { facts, halted: this.#halted, seconds, recordsRead: this.#watch.progress.outcomesOfRun.read };
  }

  /** Stops reading and keeps serving: not a crash loop, and not a silent end. */
  #halt(code: ErrorCode, message: string, assembly: Assembly): void {
    if (this.#halted !== null) return;
    this.#halted = message;
    this.#watch.board.setCondition(code, `reading has stopped: ${message}`);
    this.#options.logger.error(`${code}: reading has stopped: ${message}`);
    this.#close(assembly);
  }

  #stop(assembly: Assembly): void {
    this.#stopping.abort();
    this.#scoring?.stop();
    this.#close(assembly);
  }

  #close({ source }: Assembly): void {
    this.#closing.abort();
    void source.close();
  }
}

/** What the last report said when the checkpoint was made, so that scores show before the first new batch. */
function savedReport({ outcomes, models, baseline }: TrainerFacts): StepReport {
  return {
    rowCount: 0,
    origin: null,
    learnedRows: 0,
    outcomes,
    oldestPendingMs: null,
    newestTimestampMs: null,
    newestTimeMs: null,
    seconds: 0,
    models,
    baseline,
    rejectedRows: [],
    withheldInARow: 0,
    worstKeys: null,
    predictions: null,
  };
}
