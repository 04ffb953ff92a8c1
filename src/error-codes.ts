/** What a person needs to know of a code besides the message that carries it. */
export interface ErrorCodeText {
  readonly meaning: string;
  /** The part of Millrace that raises it. */
  readonly from: string;
  readonly fix: string;
  /** With which the command ends: 2 where the configuration or the command line must change first, else 1. */
  readonly exitCode: 1 | 2;
}

/** Closed set of reasons for which the process (not a record) is in trouble; `docs/errors.md` is made of it. */
export const errorCodes = {
  'config.invalid': {
    meaning: 'A value of the configuration, of an option or of a file that they name cannot be used.',
    from: 'reading the configuration, the command line, schema files, model files, tables; a registry that refuses a schema',
    fix: 'Correct the key or option that the message names. `millrace validate` shows every value and where it came from.',
    exitCode: 2,
  },
  'config.missing': {
    meaning: 'Something that is needed was not given: a file, a key, an option, a variable of the environment.',
    from: 'reading the configuration and the command line',
    fix: 'Give what the message names; paths are relative to the working directory.',
    exitCode: 2,
  },
  'config.incompatible': {
    meaning: 'Values that are each allowed do not go together, or not with the state or the topic that is there.',
    from: 'starting a pipeline, going on from a checkpoint, `produce`',
    fix: 'Change one of the two that the message names. A state of another shape: restore the old values, name another `checkpoint.dir`, or start anew with `--fresh`.',
    exitCode: 2,
  },
  'source.unavailable': {
    meaning: 'The source, or the topic that is written to, cannot be reached, read or written.',
    from: 'Kafka, the embedded log, CSV files; `produce`, dead letters and predictions to a topic',
    fix: 'Check address, name, rights and network. A service tries again for ever while brokers are away; `--once` and `produce` give up after a time.',
    exitCode: 1,
  },
  'source.outOfRange': {
    meaning:
      'The position of the checkpoint is no longer in the stream: it was cut, compacted away, made anew or replaced.',
    from: 'Kafka, the embedded log, CSV files',
    fix: 'Restore the data; or set `onOutOfRange` to `earliest` or `latest` and lose what lies between; or start anew with `--fresh`.',
    exitCode: 1,
  },
  'source.corrupt': {
    meaning: 'A record batch, a segment or a file is damaged. It is never skipped.',
    from: 'Kafka, the embedded log, CSV files',
    fix: 'Restore the file or the partition that the message names from a replica or a copy.',
    exitCode: 1,
  },
  'source.crashed': {
    meaning:
      'What reads the source failed in a way that was not foreseen, several times in a row, or the rows of a program ended with an error.',
    from: 'the Kafka client; `rowSource` in a program',
    fix: "Read the cause in the message. For rows of a program, correct the program; for Kafka, look into the brokers' logs at that time.",
    exitCode: 1,
  },
  'source.stalled': {
    meaning: 'The broker answers and has newer records, but gives none of them.',
    from: 'Kafka',
    fix: "Look into the brokers' logs for the partition that the message names.",
    exitCode: 1,
  },
  'source.overflow': {
    meaning: 'An Observable gave rows faster than they are learned, and it cannot be asked to wait.',
    from: '`rowSource` in a program',
    fix: 'Give the rows as an async iterable, or sample or window them before.',
    exitCode: 1,
  },
  'registry.unavailable': {
    meaning: 'The schema registry does not serve a schema, and waiting has an end.',
    from: 'Avro with a registry: `run --once`, `evaluate`, `init`, `produce`',
    fix: 'Check `decode.avro.registry` and that the registry runs. A service tries again for ever.',
    exitCode: 1,
  },
  'trainer.failed': {
    meaning: 'The thread that trains did not start, or died.',
    from: 'the trainer',
    fix: 'Read the cause in the message: memory and the native backend are the usual ones; `backend: wasm` needs neither. A restart goes on from the checkpoint.',
    exitCode: 1,
  },
  'trainer.withheld': {
    meaning:
      'As many steps in a row as `limits.withheldSteps` says were not finite: reading has stopped, serving goes on.',
    from: 'the trainer',
    fix: 'Look at the rows in the dead letters; lower `training.learningRate`, or take out the feature that explodes. Then restart.',
    exitCode: 1,
  },
  'checkpoint.damaged': {
    meaning:
      'What a state directory holds cannot be read back, or there is no such directory. A damaged checkpoint is passed over for the one before it; where none is whole, nothing is begun anew unasked.',
    from: 'going on from a checkpoint, `inspect`, `models`',
    fix: 'Check `checkpoint.dir`; `millrace inspect` verifies every checkpoint. Restore the file that the message names, or start anew with `--fresh`.',
    exitCode: 1,
  },
  'checkpoint.locked': {
    meaning: 'Another process uses the state directory, or has taken it over.',
    from: 'starting a pipeline, saving a checkpoint',
    fix: 'Stop the process that the message names, or name another `checkpoint.dir`.',
    exitCode: 1,
  },
  'checkpoint.failed': {
    meaning: 'A checkpoint cannot be written; the one before it stays.',
    from: 'saving a checkpoint',
    fix: 'Free space or correct the permissions. A service tries again and learns nothing meanwhile; `--once` gives up.',
    exitCode: 1,
  },
  'promotion.refused': {
    meaning: 'Which version is served cannot be changed as asked.',
    from: '`millrace models`; over HTTP it is an answer 409',
    fix: '`millrace models list` shows which versions there are and which is pinned; name where the pipeline runs with `--url`.',
    exitCode: 1,
  },
  'deadLetter.failed': {
    meaning: 'A bad record cannot be put away. Nothing is lost: no checkpoint counts it yet.',
    from: 'writing dead letters to a file or a topic',
    fix: 'Free space, correct the permissions, or make the topic writable; then start again.',
    exitCode: 1,
  },
  'records.rejectRatio': {
    meaning:
      'Of 1,000 records in a row more than `limits.rejectRatio` cannot be used: reading has stopped, serving goes on.',
    from: 'watching the outcomes of records',
    fix: 'Look at the reasons of the dead letters ([below](#why-a-record-is-in-the-dead-letters)), correct the producer or `decode`, then restart.',
    exitCode: 1,
  },
  'log.locked': {
    meaning: 'The embedded log has another writer.',
    from: 'writing an embedded log: `produce --log`, `npm start`',
    fix: 'Stop the process that the message names.',
    exitCode: 1,
  },
  'log.foreign': {
    meaning: 'A directory is no place for an embedded log: a broker owns it, or it lies on a network file system.',
    from: 'writing an embedded log',
    fix: 'Name another directory, on a local disk.',
    exitCode: 1,
  },
  'log.failed': {
    meaning: 'The embedded log cannot be written on.',
    from: 'writing an embedded log',
    fix: 'Free space or repair the disk, then start again: the log is cut back to its last whole batch.',
    exitCode: 1,
  },
  'http.portInUse': {
    meaning: 'Another process listens on `http.port`.',
    from: 'starting a pipeline',
    fix: 'Stop it, or set `http.port` to a free port; 0 takes any.',
    exitCode: 2,
  },
} as const satisfies Readonly<Record<string, ErrorCodeText>>;

/** One of `errorCodes`. */
export type ErrorCode = keyof typeof errorCodes;
