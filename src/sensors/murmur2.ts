const multiplier = 0x5bd1e995;

/**
 * MurmurHash2 with 32 bits (Appleby) and the seed of Kafka's Java client, as a signed integer.
 * Source: `org.apache.kafka.common.utils.Utils.murmur2`.
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = 0x9747b28c ^ length;
  const wholeEnd = length - (length % 4);
  for (let at = 0; at < wholeEnd; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  const rest = length % 4;
  if (rest === 3) hash ^= bytes[wholeEnd + 2]! << 16;
  if (rest >= 2) hash ^= bytes[wholeEnd + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[wholeEnd]!, multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}

/** The partition where Kafka's Java client puts a key: the hash without its sign bit, modulo the number of partitions. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
