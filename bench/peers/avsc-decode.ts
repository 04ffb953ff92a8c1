/**
 * What `decode.py` does, with avsc alone: node avsc-decode.ts SCHEMA VALUES COUNT RUNS FIELD…
 */
import avro from 'avsc';
import { readFileSync } from 'node:fs';
import { timed } from '../measure.ts';

const [schemaFile = '', valuesFile = '', count = '', runs = '', ...fields] = process.argv.slice(2);
const headerBytes = 5;

const type = avro.Type.forSchema(JSON.parse(readFileSync(schemaFile, 'utf8')) as avro.Schema);
const messages = messagesOf(readFileSync(valuesFile));

function messagesOf(data: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < data.length;) {
    const length = data.readInt32LE(at);
    found.push(data.subarray(at + 4 + headerBytes, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

/** Into columns of numbers and of texts, as ours. */
function decode(total: number): void {
  const columns = fields.map((field) => ({ field, values: new Array<unknown>(total) }));
  for (let n = 0; n < total; n += 1) {
    const record = type.fromBuffer(messages[n % messages.length]!) as Readonly<Record<string, unknown>>;
    for (const { field, values } of columns) values[n] = record[field];
  }
}

decode(Number(count));
for (let run = 0; run < Number(runs); run += 1) {
  console.log(
    JSON.stringify(
      await timed(Number(count), () => {
        decode(Number(count));
      }),
    ),
  );
}
