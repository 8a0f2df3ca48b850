/** Hash keys: which shard a record lands on. A copy that must land elsewhere gets the key opposite to the original's. */
import { hash } from 'node:crypto';

const HASH_KEYS = 1n << 128n;

/** The hash key that Kinesis gives a partition key: its MD5, as a number. */
export function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${hash('md5', partitionKey, 'hex')}`);
}

/**
 * Half the range away from the partition key's own: another shard, whatever even split a stream has. Decimal text, as
 * ExplicitHashKey wants it.
 */
export function oppositeHashKey(partitionKey: string): string {
  return ((hashKeyOf(partitionKey) + HASH_KEYS / 2n) % HASH_KEYS).toString();
}
