import { parseAvroSchema } from './avro-schema.ts';

/**
 * Writes records by a schema in Confluent framing: byte 0, the schema id in 4 bytes big endian, the datum.
 *
 * @throws DecodeError where the text is no Avro schema; the encoder itself throws where a record does not fit it.
 */
export function avroEncoder(schemaText: string, schemaId: number): (record: object) => Buffer {
  const type = parseAvroSchema(schemaText);
  const header = Buffer.alloc(5);
  header.writeInt32BE(schemaId, 1);
  return (record) => Buffer.concat([header, type.toBuffer(record)]);
}
