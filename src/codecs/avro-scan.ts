import { isUtf8 } from 'node:buffer';
import type avro from 'avsc';
import type { RejectReason } from '../records.ts';
import type { Shape } from './avro-shape.ts';
import { shapeOf } from './avro-shape.ts';
import type { CodecLimits } from './row-codec.ts';

export type ScanFault = Extract<RejectReason, `avro.${string}`>;

/**
 * Walks one datum's bytes by its writer schema before avsc sees them, and finds what avsc would take on trust: counts
 * that allocate gigabytes, nesting that overflows the stack, ints beyond 32 bits, booleans other than 0 and 1, text
 * that is no UTF-8. Allocates nothing; time is linear in the bytes plus `arrayItems`.
 */
export class AvroScanner {
  readonly #shape: Shape;
  readonly #limits: Pick<CodecLimits, 'arrayItems' | 'depth'>;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #items = 0;
  #fault: ScanFault | null = null;

  constructor(type: avro.Type, limits: Pick<CodecLimits, 'arrayItems' | 'depth'>) {
    this.#shape = shapeOf(type);
    this.#limits = limits;
  }

  /** What is wrong with the datum in `bytes[start, end)`; null where it is sound and ends exactly there. */
  fault(bytes: Buffer, start: number, end: number): ScanFault | null {
    this.begin(bytes, end);
    this.#at = start;
    this.#skip(this.#shape, 0);
    if (this.#isSound() && this.#at < end) this.#fail('avro.trailing');
    return this.#fault;
  }

  /** Starts a datum that `skip` walks in parts. */
  begin(bytes: Buffer, end: number): void {
    this.#bytes = bytes;
    this.#end = end;
    this.#items = 0;
    this.#fault = null;
  }

  /** Walks over one value at `at`, inside of `depth` records and lists: where it ends, -1 where it is not sound. */
  skip(shape: Shape, at: number, depth: number): number {
    this.#at = at;
    this.#skip(shape, depth);
    return this.#isSound() ? this.#at : -1;
  }

  #isSound(): boolean {
    return this.#fault === null;
  }

  /** Keeps the first fault: what follows it is noise. Everything stops once there is one. */
  #fail(fault: ScanFault): void {
    this.#fault ??= fault;
  }

  #skip(shape: Shape, depth: number): void {
    switch (shape.kind) {
      case 'nothing':
        return;
      case 'boolean':
        this.#advance(1);
        if (this.#isSound() && this.#bytes[this.#at - 1]! > 1) this.#fail('avro.invalid');
        return;
      case 'int': {
        const value = this.#long();
        if (value > 2147483647 || value < -2147483648) this.#fail('avro.invalid');
        return;
      }
      case 'long':
        this.#long();
        return;
      case 'bytes':
        this.#advance(this.#long());
        return;
      case 'string':
        this.#skipText();
        return;
      case 'fixed':
        this.#advance(shape.size);
        return;
      case 'enum':
        this.#index(shape.symbolCount);
        return;
      case 'items':
        this.#skipItems(shape.item, shape.hasKeys, depth + 1);
        return;
      case 'union': {
        const branch = shape.branches[this.#index(shape.branches.length)];
        if (branch !== undefined && this.#isSound()) this.#skip(branch, depth);
        return;
      }
      case 'record':
        this.#skipRecord(shape.fields, depth + 1);
    }
  }

  #skipRecord(fields: readonly Shape[], depth: number): void {
    if (depth > this.#limits.depth) this.#fail('avro.tooDeep');
    for (let field = 0; field < fields.length && this.#isSound(); field += 1) this.#skip(fields[field]!, depth);
  }

  #skipItems(item: Shape, hasKeys: boolean, depth: number): void {
    if (depth > this.#limits.depth) this.#fail('avro.tooDeep');
    while (this.#isSound()) {
      const count = this.#long();
      if (count === 0) return;
      const blockBytes = count < 0 ? this.#long() : -1;
      const blockStart = this.#at;
      this.#items += Math.abs(count);
      if (this.#items > this.#limits.arrayItems) this.#fail('avro.tooMany');
      for (let left = Math.abs(count); left > 0 && this.#isSound(); left -= 1) {
        if (hasKeys) this.#skipText();
        if (this.#isSound()) this.#skip(item, depth);
      }
      if (count < 0 && this.#at - blockStart !== blockBytes) this.#fail('avro.invalid');
    }
  }

  #skipText(): void {
    const length = this.#long();
    const start = this.#at;
    this.#advance(length);
    if (this.#isSound() && !isUtf8(this.#bytes.subarray(start, this.#at))) this.#fail('avro.invalid');
  }

  #advance(length: number): void {
    if (!this.#isSound()) return;
    if (length < 0) this.#fail('avro.invalid');
    else if (length > this.#end - this.#at) this.#fail('avro.truncated');
    else this.#at += length;
  }

  /** A zig-zag number within [0, count), or -1 and a fault. */
  #index(count: number): number {
    const index = this.#long();
    if (this.#isSound() && index >= 0 && index < count) return index;
    this.#fail('avro.invalid');
    return -1;
  }

  /** A zig-zag varint of at most 10 bytes as a double: exact up to 2⁵³, close enough for a range check beyond. */
  #long(): number {
    let value = 0;
    let unit = 1;
    for (let length = 0; length < 10; length += 1) {
      if (this.#at >= this.#end) {
        this.#fail('avro.truncated');
        return 0;
      }
      const byte = this.#bytes[this.#at]!;
      this.#at += 1;
      // The tenth byte holds the one bit that is left of 64.
      if (length === 9 && byte > 1) break;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      unit *= 128;
    }
    this.#fail('avro.invalid');
    return 0;
  }
}
