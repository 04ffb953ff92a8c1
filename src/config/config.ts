import type { RawConfig } from './schema.ts';

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** The configuration as the program uses it: deeply readonly, defaults in place, durations in ms, secrets read. */
export type Config = DeepReadonly<
  Omit<RawConfig, 'decode' | 'serve'> & { decode: NonNullable<RawConfig['decode']>; serve: string }
>;

export type SourceConfig = Config['source'];
export type KafkaConfig = Extract<SourceConfig, { kind: 'kafka' }>;
export type DecodeConfig = Config['decode'];
