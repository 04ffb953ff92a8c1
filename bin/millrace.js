#!/usr/bin/env node
// Runs the command from source inside a checkout (through tsx where Node cannot strip types), else from dist.
import { existsSync } from 'node:fs';

const source = new URL('../src/cli/main.ts', import.meta.url);
let main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(source)) {
  if (!process.features.typescript) (await import('tsx/esm/api')).register();
  main = source;
}
const { runCommandLine } = await import(main.href);
await runCommandLine(process.argv);
