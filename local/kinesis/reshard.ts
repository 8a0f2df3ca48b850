/**
 * Changes of a stream's shards: split, merge, and uniform scaling, which is built of both and so leaves short-lived
 * shards as AWS does. Each runs at one stroke: the parent closes and its children open at the same instant, hence no
 * child holds a record older than its parents' last. Neighbour: operations/resharding.ts checks the arguments.
 */
import { uniformRanges } from './hash-key.ts';
import type { Shard } from './shard.ts';
import type { Stream } from './stream.ts';

/** `newStart` becomes the first key of the second child; it lies inside the shard's range. */
export function splitShard(stream: Stream, shard: Shard, newStart: bigint, atMs: number): [Shard, Shard] {
  closeShard(shard, atMs);
  return [
    stream.addShard({ start: shard.range.start, end: newStart - 1n }, [shard], atMs),
    stream.addShard({ start: newStart, end: shard.range.end }, [shard], atMs),
  ];
}

export function areAdjacent(one: Shard, other: Shard): boolean {
  return one.range.end + 1n === other.range.start || other.range.end + 1n === one.range.start;
}

/** The shards are adjacent. */
export function mergeShards(stream: Stream, shard: Shard, adjacent: Shard, atMs: number): Shard {
  closeShard(shard, atMs);
  closeShard(adjacent, atMs);
  const [lower, upper] = shard.range.start < adjacent.range.start ? [shard, adjacent] : [adjacent, shard];
  return stream.addShard({ start: lower.range.start, end: upper.range.end }, [shard, adjacent], atMs);
}

/** Splits at every new boundary, then merges what lies within one new range. */
export function scaleUniformly(stream: Stream, shardCount: number, atMs: number): void {
  const rest = stream.openShards().reverse();
  for (const { end } of uniformRanges(shardCount)) {
    const inside: Shard[] = [];
    for (let shard = rest.pop(); shard; shard = rest.pop()) {
      if (shard.range.start > end) {
        rest.push(shard);
        break;
      }
      if (shard.range.end <= end) {
        inside.push(shard);
      } else {
        const [lower, upper] = splitShard(stream, shard, end + 1n, atMs);
        inside.push(lower);
        rest.push(upper);
      }
    }
    inside.reduce((merged, next) => mergeShards(stream, merged, next, atMs));
  }
}

function closeShard(shard: Shard, atMs: number): void {
  shard.closedMs = Math.max(atMs, shard.createdMs, shard.log.lastArrivalMs);
}
