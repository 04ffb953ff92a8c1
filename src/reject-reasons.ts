/** What a person needs to know of a reason besides the detail that the dead letter carries. */
export interface RejectReasonText {
  readonly meaning: string;
  readonly fix: string;
}

const spoiledAvro = 'Correct the producer: the bytes are not what the schema of their frame says.';

/** Closed set of reasons for which a record goes to the dead letters; metrics, documents and `docs/errors.md` rely on it. */
export const rejectReasonTexts = {
  'value.null': {
    meaning: 'The record has no value (a tombstone).',
    fix: 'Expected on a compacted topic. Elsewhere correct the producer.',
  },
  'value.empty': { meaning: 'The value has no bytes.', fix: 'Correct the producer.' },
  'value.tooLarge': {
    meaning: 'The value is larger than `limits.valueBytes`.',
    fix: 'Raise the limit if such records are right.',
  },
  'frame.short': {
    meaning: 'The value is shorter than the five bytes before Avro that name its schema.',
    fix: "Correct `decode`, or let the producer use the registry's serializer.",
  },
  'frame.magic': {
    meaning: 'The value does not begin with the byte 0 of a framed Avro value.',
    fix: "Correct `decode` (is it JSON?), or let the producer use the registry's serializer.",
  },
  'schema.unknown': {
    meaning: 'The registry has no schema of this id, or it is one that cannot be read.',
    fix: 'Check that `decode.avro.registry` is the registry of the producer.',
  },
  'avro.truncated': { meaning: 'The Avro value ends too early.', fix: spoiledAvro },
  'avro.trailing': { meaning: 'Bytes follow the Avro value.', fix: spoiledAvro },
  'avro.invalid': {
    meaning:
      'The Avro value has what its schema forbids, such as text that is not UTF-8 or a branch that is not there.',
    fix: spoiledAvro,
  },
  'avro.tooMany': {
    meaning: 'Arrays or maps of the value have more items than `limits.arrayItems`.',
    fix: 'Raise the limit if such records are right.',
  },
  'avro.tooDeep': {
    meaning: 'Records, arrays or maps are nested deeper than 32 levels.',
    fix: 'Let the producer write flatter records.',
  },
  'json.invalid': {
    meaning: 'The value is not a JSON object.',
    fix: 'Correct `decode` (is it Avro?) or the producer.',
  },
  'json.tooDeep': {
    meaning: 'The JSON is nested deeper than 32 levels.',
    fix: 'Let the producer write flatter records.',
  },
  'csv.invalid': {
    meaning: 'The line has another number of cells than there are columns, or broken quotes.',
    fix: 'Correct the file, or the columns of `decode.csv`.',
  },
  'field.notFinite': {
    meaning: 'A number is NaN, infinite, or too large to compute with.',
    fix: 'Let the producer leave the field out, or send null, where it knows no value.',
  },
  'field.type': {
    meaning: 'A field is not of the type that its use needs, or the writer schema does not have it.',
    fix: 'Correct the producer, or how the configuration uses the field.',
  },
  'key.missing': {
    meaning: 'The field that `key` names is missing.',
    fix: 'Correct the producer, or name another `key`.',
  },
  'time.missing': {
    meaning: 'The field that `time` names is missing.',
    fix: 'Correct the producer, or leave `time` out to take the timestamp of the record.',
  },
  'target.unknownClass': {
    meaning: 'The class is none of `target.classes`.',
    fix: 'Add the class, with a new state directory, or correct the producer.',
  },
  'target.tooManyClasses': {
    meaning: 'A new class would be one more than `target.maxClasses`.',
    fix: 'Raise the limit, with a new state directory; or check that the target is a class at all.',
  },
  'training.nonFinite': {
    meaning: 'The loss or the gradient of this row is not finite; the letter has the row as the trainer saw it.',
    fix: 'Lower `training.learningRate`, or look at what the features of the row are.',
  },
  'target.missing': {
    meaning: "A record to predict to a topic lacks the target's own field, which the prediction starts from.",
    fix: 'Let the producer send it, or use a target and a model that do not need it.',
  },
  'prediction.notFinite': {
    meaning: 'The prediction to a topic is not finite: the features are far outside of what the model has seen.',
    fix: 'Look at the features of the record; serve another version with `millrace models` if the model is the trouble.',
  },
} as const satisfies Readonly<Record<string, RejectReasonText>>;
