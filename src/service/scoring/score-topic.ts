import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { map } from 'rxjs';
import type { PredictionRecord } from '../../codecs/prediction-codec.ts';
import type { Config, KafkaConfig } from '../../config/config.ts';
import { deadLetterFile } from '../../dead-letters/dead-letter-file.ts';
import { letterRecord } from '../../dead-letters/dead-letter-topic.ts';
import type { DeadLetter, DeadLetters } from '../../dead-letters/dead-letters.ts';
import { PipelineError, messageOf } from '../../errors.ts';
import { fieldPlanOf, type FeaturePlan } from '../../operators/feature-plan.ts';
import { gather } from '../../operators/gather.ts';
import { prepare } from '../../operators/prepare.ts';
import type { Position, RejectReason } from '../../records.ts';
import { Credit } from '../../sources/credit.ts';
import { kafkaSource } from '../../sources/kafka/kafka-source.ts';
import { openTransactions, type TransactionalWriter } from '../../sources/kafka/transactional-writer.ts';
import type { Telemetry } from '../../telemetry.ts';
import { BlockScorer, type ScorableBlock } from './block-scorer.ts';
import { makeCodec } from '../input.ts';
import type { LivePredictor } from '../versions/live-predictor.ts';
import { publishedEncoder } from './prediction-schema.ts';
import { scoringTelemetry } from './scoring-telemetry.ts';
import { ScoringFields } from './scoring-fields.ts';
import { letterBytes } from '../state.ts';

export interface TopicScoringOptions {
  readonly config: Config;
  readonly plan: FeaturePlan;
  readonly predictor: LivePredictor;
  readonly telemetry: Telemetry;
}

/** Predictions that flow from one topic to another. */
export interface TopicScoring {
  /** Rejects where predictions cannot go on without somebody's help, which ends the process as any error in the chain; never resolves. */
  readonly failed: Promise<never>;
  /** Takes up nothing more. */
  stop(): void;
  /** Resolves when what is under way is committed, or after half of `shutdownTimeout` left to the next start. */
  close(): Promise<void>;
}

/** Records in one transaction at the most, beyond a single block: a quarter of a second or so. */
const recordsPerTransaction = 8192;
const minBackoffMs = 500;
const maxBackoffMs = 10_000;

/**
 * Predicts each record of `predict.from` once and writes that to `predict.to`, from the first version on, until it is stopped.
 * Trouble that passes does not end it: all is begun anew from what was committed last. Null where the configuration has no `predict`.
 */
export function scoreTopic(options: TopicScoringOptions): TopicScoring | null {
  const { predict, source } = options.config;
  return predict === undefined || source.kind !== 'kafka' ? null : new RunningScoring(options, predict, source);
}

class RunningScoring implements TopicScoring {
  readonly #options: TopicScoringOptions;
  readonly #predict: NonNullable<Config['predict']>;
  readonly #source: KafkaConfig;
  readonly #telemetry: Telemetry;
  /** Aborts when nothing more shall be taken up, */
  readonly #stopping = new AbortController();
  /** and when what is under way is not waited for any more. */
  readonly #cutting = new AbortController();
  readonly #ended: Promise<void>;
  readonly failed: Promise<never>;
  #letters: DeadLetters | null = null;
  /** Grows while sessions fail without having written anything. */
  #backoffMs = minBackoffMs;

  constructor(options: TopicScoringOptions, predict: NonNullable<Config['predict']>, source: KafkaConfig) {
    this.#options = options;
    this.#predict = predict;
    this.#source = source;
    this.#telemetry = scoringTelemetry(options.telemetry);
    const running = this.#run();
    this.failed = new Promise((_, reject) => void running.catch(reject));
    // Whoever looks decides; unseen it must not end the process.
    this.failed.catch(() => undefined);
    this.#ended = running.catch(() => undefined);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async close(): Promise<void> {
    this.stop();
    const graceMs = this.#options.config.shutdownTimeout / 2;
    await Promise.race([this.#ended, delay(graceMs, undefined, { ref: false })]);
    this.#cutting.abort();
    await this.#ended;
    await this.#letters?.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    this.#tellWaiting();
    await Promise.race([this.#options.predictor.hasVersion, aborted(signal)]);
    while (!this.#isStopping) {
      try {
        await this.#session();
      } catch (error) {
        if (signal.aborted) return;
        this.#options.telemetry.emit({
          type: 'predictionsInterrupted',
          message: `predictions to ${this.#predict.to} ${canPass(error) ? 'wait' : 'have stopped'}: ${messageOf(error)}`,
        });
        if (!canPass(error)) throw error;
        await delay(this.#backoffMs, undefined, { signal }).catch(() => undefined);
        this.#backoffMs = Math.min(2 * this.#backoffMs, maxBackoffMs);
      }
    }
  }

  #tellWaiting(): void {
    const { predictor, telemetry } = this.#options;
    const reason = predictor.version === null ? 'the first version, which the first checkpoint makes' : 'the brokers';
    telemetry.emit({ type: 'predictionsAwaited', message: `predictions to ${this.#predict.to} wait for ${reason}` });
  }

  /** From what is committed until it is stopped; @throws at the first trouble that the source does not mend by itself. */
  async #session(): Promise<void> {
    const encode = await publishedEncoder(
      this.#options.config,
      this.#predict.to,
      this.#telemetry,
      this.#stopping.signal,
    );
    const writer = await this.#openWriter();
    try {
      await this.#flow(encode, writer);
    } finally {
      await writer.close();
    }
  }

  #openWriter(): Promise<TransactionalWriter> {
    const { deadLetter } = this.#options.config;
    const { from, to } = this.#predict;
    const letters = deadLetter !== undefined && 'topic' in deadLetter ? deadLetter.topic : null;
    return openTransactions({
      ...this.#source,
      groupId: this.#groupId,
      from,
      topics: [{ topic: to }, ...(letters === null ? [] : [{ topic: letters, maxRecordBytes: letterBytes }])],
      signal: this.#cutting.signal,
    });
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  get #groupId(): string {
    return `${this.#source.groupId ?? this.#options.config.name}-predict`;
  }

  async #flow(encode: (prediction: PredictionRecord) => Buffer, writer: TransactionalWriter): Promise<void> {
    const { config, plan, predictor } = this.#options;
    const { signal } = this.#stopping;
    const fields = new ScoringFields(fieldPlanOf(plan), predictor.fields);
    const codec = await makeCodec(config, fields.plan, false, this.#telemetry);
    const scorer = new BlockScorer({ codec, fields, plan, predictor, served: config.serve, encode });
    const source = kafkaSource(
      {
        ...this.#source,
        topics: [this.#predict.from],
        groupId: this.#groupId,
        start: 'earliest',
        positions: writer.positions,
        isBounded: false,
        connectTimeoutMs: config.connectTimeout,
        credit: new Credit(config.limits.creditBytes),
      },
      this.#telemetry,
    );
    for (const position of writer.positions) {
      this.#options.telemetry.emit({ type: 'predictionPartitionSeen', ...position, endOffset: -1 });
    }
    const close = (): void => void source.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      const weigh = ({ block }: ScorableBlock): number => block.recordCount;
      const scorable = source.blocks.pipe(
        prepare(codec, signal),
        map((block) => scorer.decode(block)),
      );
      for await (const blocks of gather(scorable, { weigh, most: recordsPerTransaction })) {
        if (this.#isStopping) break;
        await this.#transact(blocks, scorer, writer);
      }
    } finally {
      signal.removeEventListener('abort', close);
      await source.close();
    }
  }

  /** Predictions, dead letters where they go to a topic, and positions are committed together. */
  async #transact(blocks: readonly ScorableBlock[], scorer: BlockScorer, writer: TransactionalWriter): Promise<void> {
    const startedAt = performance.now();
    const { version } = this.#options.predictor;
    if (version === null) throw new Error('there is no version to predict by');
    const scored = [];
    for (const block of blocks) scored.push(await scorer.score(block, version));
    const records = scored.flatMap(({ predictions }) => predictions);
    const letters = scored.flatMap((each) => each.letters);
    const positions = endsOf(blocks);
    await writer.write([{ topic: this.#predict.to, records }, ...(await this.#lettersToWrite(letters))], positions);
    for (const { block } of blocks) block.release();
    this.#backoffMs = minBackoffMs;
    this.#options.telemetry.emit({
      type: 'predictionsWritten',
      predictions: records.length,
      rejected: countsOf(letters),
      seconds: (performance.now() - startedAt) / 1000,
      partitions: positions.map((position) => ({ ...position, endOffset: endOffsetOf(blocks, position) })),
    });
  }

  /** Letters to a topic are part of the transaction; those to a file are durable before it, so that a kill repeats them at worst. */
  async #lettersToWrite(letters: readonly DeadLetter[]) {
    const { deadLetter, checkpoint } = this.#options.config;
    if (letters.length === 0) return [];
    if (deadLetter !== undefined && 'topic' in deadLetter) {
      return [{ topic: deadLetter.topic, records: letters.map(letterRecord) }];
    }
    this.#letters ??= deadLetterFile(join(checkpoint.dir, 'prediction-dead-letters.jsonl'), null);
    for (const letter of letters) this.#letters.write(letter);
    await this.#letters.flush();
    return [];
  }
}

/** False for what a user has to mend, and for mistakes in the program. */
function canPass(error: unknown): boolean {
  return error instanceof PipelineError && error.retriable;
}

/** Where reading goes on after the blocks, by partition. */
function endsOf(blocks: readonly ScorableBlock[]): readonly Position[] {
  const ends = new Map(
    blocks.map(({ block }) => {
      const { topic, partition, nextOffset, epoch } = block;
      return [partition, { topic, partition, nextOffset, epoch }] as const;
    }),
  );
  return [...ends.values()];
}

function endOffsetOf(blocks: readonly ScorableBlock[], { partition }: Position): number {
  return blocks.findLast(({ block }) => block.partition === partition)?.block.endOffset ?? -1;
}

function countsOf(letters: readonly DeadLetter[]): ReadonlyMap<RejectReason, number> {
  const counts = new Map<RejectReason, number>();
  for (const { reason } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}
