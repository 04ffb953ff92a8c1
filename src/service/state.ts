import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  openCheckpoints,
  type Checkpoint,
  type CheckpointStore,
  type SavePoint,
} from '../checkpoint/checkpoint-store.ts';
import { refuseOtherShape, type Shape } from '../checkpoint/shape.ts';
import type { Config } from '../config/config.ts';
import { deadLetterFile } from '../dead-letters/dead-letter-file.ts';
import type { DeadLetters } from '../dead-letters/dead-letters.ts';
import type { Telemetry } from '../telemetry.ts';
import { readModelFile, topologyDigest } from '../trainer/layers/model-file.ts';
import type { LearnerSpec } from '../trainer/trainer.ts';
import { moveStateAside } from './fresh-state.ts';

/** The state directory of this process, and the checkpoint to go on from. */
export interface OpenState {
  readonly store: CheckpointStore;
  readonly checkpoint: Checkpoint | null;
}

/** A dead-letter topic that is made takes a record of the broker's default limit (1 MiB) with headers on top. */
export const letterBytes = 2 << 20;

/** Kills the process at a named point of saving a checkpoint; only for tests of what survives that. */
const killPoint = process.env['MILLRACE_TEST_KILL_AT'];

/**
 * Takes the state directory, moves old state aside where asked to, and finds the newest checkpoint that is whole.
 * @throws CheckpointError where another process has it or no checkpoint of it is whole; ConfigError where it is the state of another pipeline.
 */
export function openState(config: Config, isFresh: boolean, telemetry: Telemetry): OpenState {
  const { dir, keep } = config.checkpoint;
  if (isFresh) moveStateAside(dir, deadLetterPath(config), new Date());
  const store = openCheckpoints(dir, { keep, ...(killPoint === undefined ? {} : { onSavePoint: killAt }) });
  try {
    const checkpoint = store.latest((id, message) => {
      telemetry.emit({ type: 'checkpointDamaged', id, message });
    });
    if (checkpoint !== null) refuseOtherShape(checkpoint.manifest.shape, shapeOf(config), dir);
    return { store, checkpoint };
  } catch (error) {
    store.close();
    throw error;
  }
}

function killAt(point: SavePoint): void {
  if (point === killPoint) process.kill(process.pid, 'SIGKILL');
}

/**
 * What the state depends on: other values need other state. Everything else may change from run to run.
 * @throws ConfigError where the file of a model cannot be read.
 */
export function shapeOf(config: Config): Shape {
  const { source, key, time, features, target, normalize, models } = config;
  const shape = {
    'source.topics': [...topicsOf(source)].sort(),
    ...{ key, time, features: featureShape(features), target, normalize },
    models: Object.fromEntries(Object.entries(models).map(([name, spec]) => [name, modelShape(spec)])),
  };
  return JSON.parse(JSON.stringify(shape)) as Shape;
}

function topicsOf(source: Config['source']): readonly string[] {
  if (source.kind === 'kafka') return source.topics;
  return [source.kind === 'csv' ? source.file : source.topic];
}

/** Whether the page hides a feature shapes nothing. */
function featureShape(features: Config['features']): unknown {
  if (features === 'auto') return features;
  return Object.fromEntries(
    Object.entries(features).map(([name, feature]) => [name, { ...feature, sensitive: undefined }]),
  );
}

/** A model from a file is told by its layers, wherever the file lies. */
function modelShape(spec: LearnerSpec): unknown {
  return spec.kind === 'layers' ? { kind: spec.kind, topology: topologyDigest(readModelFile(spec.file)) } : spec;
}

/** Tells two configurations apart in metrics, without their values. */
export function configDigest(config: Config): string {
  const hidden = (key: string, value: unknown): unknown => (key === 'password' || key === 'token' ? null : value);
  return createHash('sha256').update(JSON.stringify(config, hidden)).digest('hex').slice(0, 16);
}

/** Where bad records go: a topic, a file, or by default a file in the state directory. */
export async function openDeadLetters(config: Config, checkpoint: Checkpoint | null): Promise<DeadLetters> {
  const { deadLetter, source, connectTimeout: connectTimeoutMs } = config;
  if (deadLetter !== undefined && 'topic' in deadLetter && source.kind === 'kafka') {
    const { topic } = deadLetter;
    const { deadLetterTopic } = await import('../dead-letters/dead-letter-topic.ts');
    const { kafkaWriter } = await import('../sources/kafka/kafka-writer.ts');
    return deadLetterTopic(topic, kafkaWriter({ ...source, topic, connectTimeoutMs, maxRecordBytes: letterBytes }));
  }
  return deadLetterFile(deadLetterPath(config) ?? '', checkpoint?.manifest.deadLetterBytes ?? 0);
}

function deadLetterPath({ deadLetter, checkpoint }: Config): string | null {
  if (deadLetter === undefined) return join(checkpoint.dir, 'dead-letters.jsonl');
  return 'file' in deadLetter ? deadLetter.file : null;
}
