/**
 * Ids grouped by bucket, as the commit script takes them: an order of the ids in which those of one bucket stand together,
 * first the groups, then the ids that are nearly alone in their buckets. A group holds no more than Lua can unpack.
 */
import { bucketOf } from '../buckets.ts';
import type { LedgerSpec } from '../ledger.ts';

/** Members of one call inside a script: Lua's stack takes about 8,000. */
export const MAX_GROUP = 4_000;
/** Up to so many ids of one bucket are no group: a call for each costs less than asking first and adding then. */
const FEW = 2;

export interface BucketGroups {
  /** order[i] = index of the id that stands at i. */
  readonly order: Uint32Array;
  /** The bucket of each group, then of each id that belongs to none. */
  readonly buckets: readonly number[];
  /** How many ids each group has. */
  readonly sizes: readonly number[];
}

/**
 * @param bucketKeys one per id.
 * @param buckets number of buckets of the period.
 */
export function groupByBucket(
  bucketKeys: Float64Array,
  buckets: number,
  spec: Pick<LedgerSpec, 'periodMs' | 'bucketBy'>,
): BucketGroups {
  const count = bucketKeys.length;
  const placeOfBucket = new Map<number, number>();
  const placeOf = new Uint32Array(count);
  const found: number[] = [];
  const totals: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const bucket = bucketOf(bucketKeys[i]!, buckets, spec);
    let place = placeOfBucket.get(bucket);
    if (place === undefined) {
      place = found.push(bucket) - 1;
      totals.push(0);
      placeOfBucket.set(bucket, place);
    }
    placeOf[i] = place;
    totals[place]! += 1;
  }
  return { order: orderOf(placeOf, totals), ...cut(found, totals) };
}

/** Counting sort: stable, so ids of one bucket keep the order of their positions. */
function orderOf(placeOf: Uint32Array, totals: readonly number[]): Uint32Array {
  const next = new Uint32Array(totals.length);
  let start = 0;
  for (const isGroup of [true, false]) {
    for (let place = 0; place < totals.length; place += 1) {
      if (totals[place]! > FEW !== isGroup) continue;
      next[place] = start;
      start += totals[place]!;
    }
  }
  const order = new Uint32Array(placeOf.length);
  for (let i = 0; i < placeOf.length; i += 1) {
    const place = placeOf[i]!;
    order[next[place]!] = i;
    next[place]! += 1;
  }
  return order;
}

/** Cuts groups that are too large: ids of a commit are distinct, so two groups may well be of one bucket. */
function cut(found: readonly number[], totals: readonly number[]): Pick<BucketGroups, 'buckets' | 'sizes'> {
  const buckets: number[] = [];
  const sizes: number[] = [];
  const alone: number[] = [];
  found.forEach((bucket, place) => {
    const total = totals[place]!;
    if (total <= FEW) {
      for (let left = total; left > 0; left -= 1) alone.push(bucket);
      return;
    }
    for (let left = total; left > 0; left -= MAX_GROUP) {
      buckets.push(bucket);
      sizes.push(Math.min(left, MAX_GROUP));
    }
  });
  for (const bucket of alone) buckets.push(bucket);
  return { buckets, sizes };
}
