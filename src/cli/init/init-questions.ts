import type * as clack from '@clack/prompts';
import { ConfigError } from '../../errors.ts';
import type { Roles } from './init-document.ts';
import type { SampledField } from './sampled-fields.ts';

/** What the command line says; a terminal is asked for the rest. */
export interface InitOptions {
  readonly config?: string;
  readonly source?: 'kafka' | 'log' | 'csv';
  readonly file?: string;
  readonly dir?: string;
  readonly brokers?: string;
  readonly topic?: string;
  readonly schema?: string;
  readonly registry?: string;
  readonly target?: string;
  readonly key?: string;
  readonly time?: string;
  readonly name?: string;
  readonly out?: string;
  readonly force?: true;
  readonly json?: true;
}

/** Asks for what the options leave open of the source. */
export async function askForSource(options: InitOptions): Promise<InitOptions> {
  const prompts = await import('@clack/prompts');
  const source =
    options.source ??
    answered(
      prompts,
      await prompts.select<NonNullable<InitOptions['source']>>({
        message: 'Where do records come from?',
        options: [
          { value: 'kafka', label: 'topics of Apache Kafka' },
          { value: 'log', label: 'an embedded log, as millrace produce --log writes' },
          { value: 'csv', label: 'CSV files' },
        ],
      }),
    );
  const text = async (given: string | undefined, message: string, initialValue = ''): Promise<string> =>
    given ?? answered(prompts, await prompts.text({ message, initialValue, validate: notEmpty }));
  if (source === 'csv') return { ...options, source, file: await text(options.file, 'Which file (a path or a glob)?') };
  const place =
    source === 'kafka'
      ? { brokers: await text(options.brokers, 'Which brokers?', 'localhost:9092') }
      : { dir: await text(options.dir, 'In which directory is the log?') };
  const topic = await text(options.topic, 'Which topic?');
  if (options.schema !== undefined || options.registry !== undefined) return { ...options, ...place, source, topic };
  const answer = await prompts.text({
    message: 'Avro schema file, or URL of the registry? Leave it empty for JSON.',
    defaultValue: '',
  });
  const schema = answered(prompts, answer);
  const decode = schema === '' ? {} : /^https?:/.test(schema) ? { registry: schema } : { schema };
  return { ...options, ...place, ...decode, source, topic };
}

/** Shows what is proposed, to be accepted or changed. */
export async function askForRoles(
  fields: readonly SampledField[],
  proposed: Roles,
  options: InitOptions,
): Promise<Roles> {
  const prompts = await import('@clack/prompts');
  const none = { value: '', label: 'none' };
  const choices = fields.map(({ name, type }) => ({ value: name, label: name, hint: type }));
  const pick = async (given: string | undefined, message: string, initialValue: string, mayBeNone: boolean) =>
    given ??
    answered(
      prompts,
      await prompts.select({ message, initialValue, options: mayBeNone ? [none, ...choices] : choices }),
    );
  const target = await pick(options.target, 'What shall be predicted?', proposed.target, false);
  const key = await pick(options.key, 'Which field tells sensors apart?', proposed.key ?? '', true);
  const time = await pick(options.time, 'Which field is the time of measuring?', proposed.time ?? '', true);
  return { target, key: key === '' ? null : key, time: time === '' ? null : time };
}

function answered<Answer>({ isCancel }: typeof clack, answer: Answer): Exclude<Answer, symbol> {
  if (isCancel(answer)) throw new ConfigError('config.missing', 'cancelled: nothing was written');
  return answer as Exclude<Answer, symbol>;
}

function notEmpty(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? 'needed' : undefined;
}
