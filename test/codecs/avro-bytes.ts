/** Avro's binary encoding by hand, so that tests can also write what no encoder would. */

/** A zig-zag varint of any size. */
export function long(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(70, BigInt(value) >= 0n ? BigInt(value) * 2n : -BigInt(value) * 2n - 1n);
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([long(bytes.length), bytes]);
}

export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

export function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

/** Confluent framing. */
export function framed(schemaId: number, ...parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(schemaId, 1);
  return Buffer.concat([header, ...parts]);
}
