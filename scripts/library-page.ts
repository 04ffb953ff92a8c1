import { readFile } from 'node:fs/promises';

/** The how-to of the library: prose around the example programs, which a test runs. */
export async function libraryPage(): Promise<string> {
  return `# Millrace as a library

\`npm install millrace\` gives a program what the command line has: \`import { … } from 'millrace'\`, and a client of a running pipeline from
\`millrace/client\`. Both are typed ES modules for Node 20.19 and newer (the client runs in browsers too). \`npm run docs:api\` writes the
reference of all names to \`.cache/api\`. The programs below are \`examples/library/*.ts\`, word for word:
\`npx tsx examples/library/observable.ts\`.

There are two ways in.

- **A whole pipeline in your process**: \`startPipeline({ config })\` is \`millrace run\` without a process of its own: it trains in a worker
  thread, saves checkpoints, keeps dead letters, serves the page, metrics and predictions at \`url\`, and goes on from its last checkpoint. It
  listens to no signal and never ends your process: call \`close()\`. Where the pipeline fails, \`ended\` rejects with a \`PipelineError\`
  that has a \`code\`.
- **Parts put together by hand**: \`assemble({ config, … })\` makes the parts that a configuration describes, and \`decode\`, \`derive\`,
  \`normalize\`, \`batch\` and \`learn\` are RxJS operators over them. \`pipeline(parts)\` is the whole chain with barriers for checkpoints.

A configuration comes from a file (\`loadConfig(file).config\`) or from an object with the same keys (\`configOf({ … })\`, typed and checked
like a file; docs/configuration.md has every key).

## Training from any Observable

\`source: { program: { topic } }\` says that rows come from the program; \`rowSource\` makes a source of an Observable, an async iterable or an
array of plain objects. An iterable is read as fast as rows are learned. An Observable cannot be asked to wait: 100,000 rows may queue, and
one more ends the pipeline with \`source.overflow\`. \`rowSource\` asks for the rows behind an offset: a stream that can be read again gives
them from there, a live one ignores it.

${await program('observable')}
## A custom source

Where records are bytes, implement \`Source\`: blocks of at most \`maxBlockRecords\` records, credit taken for their bytes, resuming at
\`positions\`. \`decode\` in the configuration says how values are read (\`json\` where it says nothing).

${await program('custom-source')}
## A custom operator

Blocks are columns, not objects: an operator loops over typed arrays and costs nothing for each record. A block that passes is the
operator's own, its arrays too. It must keep every row and every mark (blocks with \`barrier\` or \`isEndOfInput\`): outcomes are counted by
them. What an operator does to features is not done to features of a prediction request, so a chain with one of its own has no
predictions over HTTP; where that matters, change rows before the source, as in the first example, and before asking.

A chain that reads Avro with a registry has \`prepare(codec, signal)\` before \`decode\`: it loads schemas.

${await program('custom-operator')}
## Inside a Fastify app

${await program('fastify')}`;
}

async function program(name: string): Promise<string> {
  const text = await readFile(new URL(`../examples/library/${name}.ts`, import.meta.url), 'utf8');
  return `\`\`\`ts\n${text}\`\`\`\n`;
}
