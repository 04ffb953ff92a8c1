/** The library's public face: the parts of a pipeline and the contracts between them. */
export { avroCodec } from './codecs/avro-codec.ts';
export type { AvroCodecOptions, SchemaStore } from './codecs/avro-codec.ts';
export type { Clock } from './clock.ts';
export { csvCodec, type CsvCodecOptions } from './codecs/csv-codec.ts';
export { jsonCodec, type JsonCodecOptions } from './codecs/json-codec.ts';
export type { CodecLimits, Reject, RowCodec } from './codecs/row-codec.ts';
export { schemaFile } from './codecs/schema-file.ts';
export { SchemaRegistry, type RegisteredSchema, type SchemaRegistryOptions } from './codecs/schema-registry.ts';
export { assemble, type Assembly, type AssemblyOptions, type Restored } from './service/assembly.ts';
export type { PipelineLogger } from './service/log-telemetry.ts';
export { startPipeline, type RunningPipeline, type StartOptions } from './service/start-pipeline.ts';
export type { RunSummary } from './service/summary.ts';
export type { Config } from './config/config.ts';
export { configOf, loadConfig, type Environment, type LoadedConfig } from './config/load.ts';
export type { ConfigDocument } from './config/schema.ts';
export {
  CheckpointError,
  ConfigError,
  DecodeError,
  PipelineError,
  SourceError,
  TrainerError,
  type ErrorDetails,
} from './errors.ts';
export { errorCodes, type ErrorCode, type ErrorCodeText } from './error-codes.ts';
export { barriers, type BarrierOptions } from './operators/barriers.ts';
export { batch, type BatchOptions } from './operators/batch.ts';
export { Batcher } from './operators/batcher.ts';
export { decode, DecodeState, type BlockDecoder, type DecodeOptions, type OnReject } from './operators/decode.ts';
export { derive, type DeriveOptions } from './operators/derive.ts';
export {
  fieldPlanOf,
  type FeatureColumn,
  type FeaturePlan,
  type FeatureSpec,
  type TargetSpec,
} from './operators/feature-plan.ts';
export { FeatureState } from './operators/feature-state.ts';
export { learn, type BatchLearner } from './operators/learn.ts';
export { normalize, unscaled, type Scaler } from './operators/normalize.ts';
export { prepare, type BlockPreparer } from './operators/prepare.ts';
export { RunningMoments } from './operators/running-moments.ts';
export { pipeline, type PipelineParts, type PipelineStates } from './pipeline.ts';
export * from './records.ts';
export { rejectReasonTexts, type RejectReasonText } from './reject-reasons.ts';
export { Credit } from './sources/credit.ts';
export { csvSource, type CsvSourceOptions } from './sources/csv/csv-source.ts';
export { kafkaSource } from './sources/kafka/kafka-source.ts';
export type { KafkaSasl, KafkaTls } from './sources/kafka/kafka-connection.ts';
export type { KafkaSourceOptions, KafkaTimings } from './sources/kafka/kafka-options.ts';
export type { LogRecord } from './sources/record-batch/encode-batch.ts';
export { logSource } from './sources/log/log-source.ts';
export type { LogSourceOptions } from './sources/log/log-source-options.ts';
export { LogWriter, type LogWriterOptions } from './sources/log/log-writer.ts';
export { rowSource } from './sources/rows/row-source.ts';
export type { Rows } from './sources/rows/row-queue.ts';
export {
  maxBlockRecords,
  type MakeSource,
  type OutOfRange,
  type Source,
  type SourceContext,
  type Start,
} from './sources/source.ts';
export { valueBlock, type ValuePlace } from './sources/value-block.ts';
export { silentTelemetry, type Telemetry, type TelemetryEvent } from './telemetry.ts';
export { inlineTrainer } from './trainer/inline-trainer.ts';
export type {
  BackendChoice,
  BackendName,
  LearnerSpec,
  Trainer,
  TrainerOptions,
  TrainingOptions,
} from './trainer/trainer.ts';
export { workerTrainer } from './trainer/worker-trainer.ts';
export type { LossOptions } from './trainer/regression-loss.ts';
export type { OptimizerOptions } from './trainer/update-rules.ts';
