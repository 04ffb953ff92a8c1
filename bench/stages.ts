import type { Measurement, Repetition } from './measure.ts';

/** Where a stage finds its input, and how long it may take. */
export interface StageInput {
  /** Small inputs and one run each: shows that everything runs, not how fast. */
  readonly isShort: boolean;
  readonly repetition: Repetition;
  readonly schemaFile: string;
  readonly logDir: string;
  /** `host:port`, empty where there is no Kafka. */
  readonly bootstrap: string;
}

/** Measures one or more subjects; runs in a process of its own. */
export type Stage = (input: StageInput) => Promise<readonly Measurement[]>;

/** Every stage in the order of the run, loaded only in the process that runs it. */
export const stages = {
  logRead: async () => (await import('./stages/log-read.ts')).logRead,
  decode: async () => (await import('./stages/decode.ts')).decodeFormats,
  derive: async () => (await import('./stages/derive.ts')).deriveRows,
  normalize: async () => (await import('./stages/normalize.ts')).normalizeRows,
  batch: async () => (await import('./stages/batch.ts')).batchRows,
  step: async () => (await import('./stages/step.ts')).step,
  largeStep: async () => (await import('./stages/step.ts')).largeStep,
  endToEndLog: async () => (await import('./stages/end-to-end.ts')).endToEndLog,
  fetch: async () => (await import('./stages/fetch.ts')).fetchRecords,
  endToEndKafka: async () => (await import('./stages/end-to-end.ts')).endToEndKafka,
  sustained: async () => (await import('./stages/sustained.ts')).sustained,
  scaling: async () => (await import('./stages/scaling.ts')).scale,
  freshness: async () => (await import('./stages/freshness.ts')).freshness,
} as const satisfies Record<string, () => Promise<Stage>>;

export type StageName = keyof typeof stages;

/** Stages that read from a broker; the last ones, so that it does not run beside the others. */
export const kafkaStages: ReadonlySet<StageName> = new Set<StageName>(['fetch', 'endToEndKafka', 'freshness']);
