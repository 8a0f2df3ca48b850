/**
 * One shard: its place in the lineage and the hash space, its log and its limits. A closed shard is never reopened:
 * its log takes no more records, and readers past its end learn its children. Neighbour: stream.ts owns the lineage.
 */
import type { HashRange } from './hash-key.ts';
import { ReadLimit, WriteLimit } from './rate-limit.ts';
import { SequenceNumbers } from './sequence-number.ts';
import { ShardLog } from './shard-log.ts';

export interface ShardOrigin {
  index: number;
  range: HashRange;
  /** None for a first shard, one after a split, two after a merge. */
  parents: readonly Shard[];
  createdMs: number;
  /** The creation second of a first shard's sequence numbers; a child's is later than its parents'. */
  createdSecond: number;
}

export class Shard {
  readonly index: number;
  readonly shardId: string;
  readonly range: HashRange;
  readonly parentIds: readonly string[];
  readonly createdMs: number;
  readonly createdSecond: number;
  readonly sequenceNumbers: SequenceNumbers;
  readonly log: ShardLog;
  readonly readLimit = new ReadLimit();
  readonly writeLimit = new WriteLimit();
  closedMs: number | undefined;

  constructor(origin: ShardOrigin) {
    this.index = origin.index;
    this.shardId = `shardId-${String(origin.index).padStart(12, '0')}`;
    this.range = origin.range;
    this.parentIds = origin.parents.map((parent) => parent.shardId);
    // A parent closes no earlier than its last record arrived, and its children open at that instant.
    this.createdMs = Math.max(origin.createdMs, ...origin.parents.map((parent) => parent.closedMs ?? 0));
    this.createdSecond = Math.max(origin.createdSecond, ...origin.parents.map((parent) => parent.createdSecond + 1));
    this.sequenceNumbers = new SequenceNumbers(this.index, this.createdSecond);
    this.log = new ShardLog(this.sequenceNumbers, this.createdMs);
  }

  get isOpen(): boolean {
    return this.closedMs === undefined;
  }
}

/** A shard as ListShards and DescribeStream show it. */
export function shardDescription(shard: Shard): Record<string, unknown> {
  const [parentId, adjacentParentId] = shard.parentIds;
  return {
    ShardId: shard.shardId,
    ...(parentId && { ParentShardId: parentId }),
    ...(adjacentParentId && { AdjacentParentShardId: adjacentParentId }),
    HashKeyRange: hashKeyRange(shard.range),
    SequenceNumberRange: {
      StartingSequenceNumber: shard.sequenceNumbers.start(),
      ...(shard.closedMs !== undefined && { EndingSequenceNumber: shard.sequenceNumbers.end(shard.closedMs) }),
    },
  };
}

/** A child as GetRecords shows it at the end of its parent. */
export function childShardDescription(shard: Shard): Record<string, unknown> {
  return { ShardId: shard.shardId, ParentShards: shard.parentIds, HashKeyRange: hashKeyRange(shard.range) };
}

function hashKeyRange(range: HashRange): Record<string, string> {
  return { StartingHashKey: range.start.toString(), EndingHashKey: range.end.toString() };
}
