/**
 * Does every part of the hash range have somebody who will read it? From the lease rows and the listed shards to the
 * holes between them, and to the shards that would fill a hole. Pure. Both ends of a range are inclusive.
 */
import { isFinished, type Lease } from '../lease/lease.ts';
import type { ListedShard } from './fleet-view.ts';

export interface HashRange {
  readonly from: bigint;
  readonly through: bigint;
}

const WHOLE: HashRange = { from: 0n, through: 2n ** 128n - 1n };

/** What no unfinished lease covers, ascending. A row without a range of its own has that of its shard. */
export function hashRangeHoles(leases: ReadonlyMap<string, Lease>, shards: readonly ListedShard[]): HashRange[] {
  const listed = new Map(shards.map((shard) => [shard.shardId, shard]));
  const covered = [...leases.values()]
    .filter((lease) => !isFinished(lease))
    .map((lease) => rangeOf(lease.startingHashKey === undefined ? listed.get(lease.shardId) : lease))
    .filter((range) => range !== undefined)
    .toSorted((a, b) => (a.from < b.from ? -1 : 1));
  const holes: HashRange[] = [];
  let next = WHOLE.from;
  for (const { from, through } of covered) {
    if (from > next) holes.push({ from: next, through: from - 1n });
    if (through >= next) next = through + 1n;
  }
  if (next <= WHOLE.through) holes.push({ from: next, through: WHOLE.through });
  return holes;
}

/**
 * The listed shards that would fill a hole: the youngest of their lineage, without a row. One with a row was finished,
 * which is final: only a person can decide what that means.
 */
export function shardsFor(
  hole: HashRange,
  leases: ReadonlyMap<string, Lease>,
  shards: readonly ListedShard[],
): ListedShard[] {
  const parents = new Set(shards.flatMap((shard) => shard.parents));
  return shards.filter((shard) => {
    const range = rangeOf(shard);
    if (!range || parents.has(shard.shardId) || leases.has(shard.shardId)) return false;
    return range.from <= hole.through && range.through >= hole.from;
  });
}

/** Do these cover it wholly? A range that is not known is taken for none. */
export function isCovered(whole: HashRange | undefined, parts: readonly (HashRange | undefined)[]): boolean {
  if (!whole) return true;
  let next = whole.from;
  const known = parts.filter((part) => part !== undefined).toSorted((a, b) => (a.from < b.from ? -1 : 1));
  for (const { from, through } of known) if (from <= next && through >= next) next = through + 1n;
  return next > whole.through;
}

export function rangeOf(
  range: { readonly startingHashKey?: string; readonly endingHashKey?: string } | undefined,
): HashRange | undefined {
  const { startingHashKey = '', endingHashKey = '' } = range ?? {};
  if (!/^\d{1,39}$/.test(startingHashKey) || !/^\d{1,39}$/.test(endingHashKey)) return undefined;
  return { from: BigInt(startingHashKey), through: BigInt(endingHashKey) };
}
