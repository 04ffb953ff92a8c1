import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a module of this folder, named without its extension, as a thread: from `dist`, or from source. A thread never inherits
 * tsx, so where Node cannot strip types itself the thread registers it first.
 */
export function startThread(name: string, options: WorkerOptions): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const entry = new URL(`./${name}.${isSource ? 'ts' : 'js'}`, import.meta.url);
  // Node's types are older than the property.
  const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript);
  if (!isSource || stripsTypes) return new Worker(entry, options);
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const code = `import(${tsx}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}); });`;
  return new Worker(code, { ...options, eval: true });
}
