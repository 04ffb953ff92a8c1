import { stderr } from 'node:process';
import { pino, type Logger } from 'pino';

/** Logs go to stderr: as JSON for machines, readable on a terminal. */
export async function commandLogger(): Promise<Logger> {
  const options = { level: process.env['LOG_LEVEL'] ?? 'info', base: null };
  if (!stderr.isTTY) return pino(options, pino.destination({ dest: 2, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino(options, pretty({ destination: 2, sync: true, translateTime: 'HH:MM:ss', ignore: 'pid,hostname' }));
}
