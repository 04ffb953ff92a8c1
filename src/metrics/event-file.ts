import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { PbfWriter } from 'pbf';

/** Fields of TensorFlow's protocol buffers Event, Summary, Summary.Value and SessionLog, as far as they are written. */
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const summary = { value: 1 } as const;
const value = { tag: 1, simpleValue: 2 } as const;
const sessionLog = { status: 1, start: 1 } as const;

/** One value of a curve by its name. Numbers that are not finite are left out. */
export type Scalars = Readonly<Record<string, number | null>>;

/**
 * A file of TensorBoard's events in a folder of its run: records of length, CRC, protocol buffer, CRC
 * (https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/io/record_writer.h). Calls block and throw as `node:fs` does.
 */
export class EventFile {
  readonly #file: number;

  /** A new file. What files of earlier runs have from `step` on is hidden: those steps are made again. */
  constructor(dir: string, step: number, nowMs: number) {
    mkdirSync(dir, { recursive: true });
    const name = `events.out.tfevents.${Math.floor(nowMs / 1000)}.${hostname()}.${process.pid}`;
    this.#file = openSync(join(dir, name), 'a');
    this.#write(nowMs, 0, (message) => {
      message.writeStringField(event.fileVersion, 'brain.Event:2');
    });
    this.#write(nowMs, step, (message) => {
      message.writeMessage(event.sessionLog, writeStart, null);
    });
  }

  write(nowMs: number, step: number, scalars: Scalars): void {
    const known = Object.entries(scalars).filter((entry): entry is [string, number] => Number.isFinite(entry[1]));
    if (known.length === 0) return;
    this.#write(nowMs, step, (message) => {
      message.writeMessage(event.summary, writeScalars, known);
    });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(nowMs: number, step: number, writeRest: (message: PbfWriter) => void): void {
    const message = new PbfWriter();
    message.writeDoubleField(event.wallTime, nowMs / 1000);
    message.writeVarintField(event.step, step);
    writeRest(message);
    writeSync(this.#file, recordOf(message.finish()));
  }
}

function writeStart(_: null, message: PbfWriter): void {
  message.writeVarintField(sessionLog.status, sessionLog.start);
}

function writeScalars(scalars: readonly [string, number][], message: PbfWriter): void {
  for (const scalar of scalars) message.writeMessage(summary.value, writeScalar, scalar);
}

function writeScalar([tag, number]: [string, number], message: PbfWriter): void {
  message.writeStringField(value.tag, tag);
  message.writeFloatField(value.simpleValue, number);
}

function recordOf(message: Uint8Array): Buffer {
  const record = Buffer.alloc(12 + message.length + 4);
  record.writeBigUInt64LE(BigInt(message.length));
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(message, 12);
  record.writeUInt32LE(maskedCrc(record.subarray(12, 12 + message.length)), 12 + message.length);
  return record;
}

/** Rotated and shifted, so that the CRC of bytes that hold CRCs is no trouble. */
function maskedCrc(bytes: Buffer): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
