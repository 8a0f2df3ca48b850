/**
 * Which shards a ListShards filter selects. Pure. The trim horizon is never before the stream's creation, so that the
 * first shards count as open at it. A shard whose children opened at an instant and the children both count as open
 * at that instant, as the API's text has it. Neighbour: operations/listing.ts pages the result.
 */
import type { Shard } from './shard.ts';

export type ShardFilter =
  | { type: 'AFTER_SHARD_ID'; shardId: string }
  | { type: 'AT_TRIM_HORIZON' | 'FROM_TRIM_HORIZON' | 'AT_LATEST' }
  | { type: 'AT_TIMESTAMP' | 'FROM_TIMESTAMP'; timestampMs: number };

export const SHARD_FILTER_TYPES = [
  'AFTER_SHARD_ID',
  'AT_TRIM_HORIZON',
  'FROM_TRIM_HORIZON',
  'AT_LATEST',
  'AT_TIMESTAMP',
  'FROM_TIMESTAMP',
] as const;

/** `horizonMs`: the later of the stream's creation and the start of its retention period. */
export function isSelected(shard: Shard, filter: ShardFilter, horizonMs: number): boolean {
  switch (filter.type) {
    case 'AFTER_SHARD_ID':
      return shard.shardId > filter.shardId;
    case 'AT_LATEST':
      return shard.isOpen;
    case 'AT_TRIM_HORIZON':
      return wasOpenAt(shard, horizonMs);
    case 'FROM_TRIM_HORIZON':
      return isOpenSince(shard, horizonMs);
    case 'AT_TIMESTAMP':
      return wasOpenAt(shard, Math.max(filter.timestampMs, horizonMs));
    case 'FROM_TIMESTAMP':
      return isOpenSince(shard, Math.max(filter.timestampMs, horizonMs));
  }
}

function isOpenSince(shard: Shard, instantMs: number): boolean {
  return shard.closedMs === undefined || shard.closedMs >= instantMs;
}

function wasOpenAt(shard: Shard, instantMs: number): boolean {
  return shard.createdMs <= instantMs && isOpenSince(shard, instantMs);
}
