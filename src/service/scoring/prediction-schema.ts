import { join } from 'node:path';
import { predictionEncoder, predictionSchema, type PredictionRecord } from '../../codecs/prediction-codec.ts';
import type { Config } from '../../config/config.ts';
import { replaceDurably } from '../../durable-files.ts';
import { CheckpointError, messageOf } from '../../errors.ts';
import type { Telemetry } from '../../telemetry.ts';

/** The id of the schema where no registry gives one, as `produce` writes and `decode.avro.schemaFile` expects. */
const idWithoutRegistry = 1;

/**
 * Makes the schema of predictions known: in the registry as `TO-value`, or where `decode` names none as a file of that name
 * in the state directory; and returns what writes by it.
 * @throws DecodeError (rejects) where the registry refuses it or, which is retriable, is away; CheckpointError, retriable, where
 * the file cannot be written.
 */
export async function publishedEncoder(
  config: Config,
  to: string,
  telemetry: Telemetry,
  signal: AbortSignal,
): Promise<(prediction: PredictionRecord) => Buffer> {
  const { task } = config.target;
  const subject = `${to}-value`;
  const text = predictionSchema(task);
  const { registerSchema } = await import('../avro-input.ts');
  const id = await registerSchema(config, { subject, text }, telemetry, signal);
  if (id === null) writeSchema(join(config.checkpoint.dir, `${subject}.avsc`), text);
  return predictionEncoder(task, id ?? idWithoutRegistry);
}

function writeSchema(file: string, text: string): void {
  try {
    replaceDurably(file, `${text}\n`);
  } catch (cause) {
    const message = `${file}: cannot write the schema of predictions (${messageOf(cause)}). Free space or correct the permissions`;
    throw new CheckpointError('checkpoint.failed', message, { retriable: true, cause });
  }
}
