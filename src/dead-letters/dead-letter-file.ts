import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { PipelineError, messageOf } from '../errors.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';

/** Lines are gathered up to this size, so that a burst of bad records is not a system call each. */
const bufferBytes = 64 * 1024;

/**
 * Dead letters as one JSON document a line; key, value and header values in base64. Appended across runs.
 * @param keepBytes length that the checkpoint counts: what a killed process wrote behind it is cut off, since those
 *   records are read again. Null keeps all.
 */
export function deadLetterFile(file: string, keepBytes: number | null): DeadLetters {
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, 'a');
  let size = fstatSync(descriptor).size;
  if (keepBytes !== null && keepBytes < size) {
    ftruncateSync(descriptor, keepBytes);
    size = keepBytes;
  }
  let lines: string[] = [];
  let gathered = 0;

  function append(): void {
    const bytes = Buffer.from(lines.join(''));
    lines = [];
    gathered = 0;
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
      size += bytes.length;
    } catch (error) {
      throw new PipelineError(
        'deadLetter.failed',
        `${file}: cannot write dead letters (${messageOf(error)}). Free space or correct the permissions, then start again; nothing is lost.`,
        { cause: error },
      );
    }
  }

  return {
    write: (letter) => {
      const line = `${JSON.stringify(toDocument(letter))}\n`;
      lines.push(line);
      gathered += line.length;
      if (gathered >= bufferBytes) append();
    },
    flush: () => {
      if (gathered > 0) append();
      fdatasyncSync(descriptor);
      return Promise.resolve();
    },
    get durableBytes() {
      return size;
    },
    close: () => {
      if (gathered > 0) append();
      closeSync(descriptor);
      return Promise.resolve();
    },
  };
}

function toDocument(letter: DeadLetter): Record<string, unknown> {
  const { reason, detail, topic, partition, offset, timestampMs, key, value, headers } = letter;
  return {
    reason,
    detail,
    topic,
    partition,
    offset,
    timestamp: Number.isFinite(timestampMs) ? timestampMs : null,
    key: base64(key),
    value: base64(value),
    headers: headers.map((header) => ({ key: header.key, value: base64(header.value) })),
  };
}

function base64(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
