/**
 * The 128-bit hash keys that say which shard a record belongs to. Routing compares fixed-width hexadecimal text,
 * so that a record costs one MD5 and a few string comparisons; BigInt serves only the arithmetic of resharding.
 * Neighbour: stream.ts keeps the open ranges in order.
 */
import { hash } from 'node:crypto';

const HASH_KEY_COUNT = 1n << 128n;

export const MAX_HASH_KEY = HASH_KEY_COUNT - 1n;

/** Both ends belong to the range. */
export interface HashRange {
  start: bigint;
  end: bigint;
}

/** 32 hexadecimal digits; their text order is the order of the keys. */
export function hashKeyHex(key: bigint): string {
  return key.toString(16).padStart(32, '0');
}

export function hashPartitionKey(partitionKey: string): string {
  return hash('md5', partitionKey, 'hex');
}

/** The ranges of a stream with `count` equal shards; the last one takes the rest of the division. */
export function uniformRanges(count: number): HashRange[] {
  const width = HASH_KEY_COUNT / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    start: width * BigInt(index),
    end: index === count - 1 ? MAX_HASH_KEY : width * BigInt(index + 1) - 1n,
  }));
}
