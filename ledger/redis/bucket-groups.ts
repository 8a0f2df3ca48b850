/**
 * Ids grouped by bucket, as the commit script takes them: an order of the ids in which those of one bucket stand
 * together, and the groups' buckets and sizes. A group holds no more than Lua can unpack.
 */
import { bucketOf } from '../buckets.ts';
import type { LedgerSpec } from '../ledger.ts';

/** Members of one call inside a script: Lua's stack takes about 8,000. */
export const MAX_GROUP = 4_000;

export interface BucketGroups {
  /** order[i] = index of the id that stands at i. */
  readonly order: Uint32Array;
  /** Bucket of each group, and how many ids it has. */
  readonly buckets: readonly number[];
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
  const groupOfBucket = new Map<number, number>();
  const groupOf = new Uint32Array(count);
  const found: number[] = [];
  const totals: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const bucket = bucketOf(bucketKeys[i]!, buckets, spec);
    let group = groupOfBucket.get(bucket);
    if (group === undefined) {
      group = found.push(bucket) - 1;
      totals.push(0);
      groupOfBucket.set(bucket, group);
    }
    groupOf[i] = group;
    totals[group]! += 1;
  }
  return { order: orderOf(groupOf, totals), ...cut(found, totals) };
}

/** Counting sort: stable, so ids of a group keep the order of their positions. */
function orderOf(groupOf: Uint32Array, totals: readonly number[]): Uint32Array {
  const next = new Uint32Array(totals.length);
  for (let group = 1; group < totals.length; group += 1) next[group] = next[group - 1]! + totals[group - 1]!;
  const order = new Uint32Array(groupOf.length);
  for (let i = 0; i < groupOf.length; i += 1) {
    const group = groupOf[i]!;
    order[next[group]!] = i;
    next[group]! += 1;
  }
  return order;
}

/** Cuts groups that are too large: ids of a commit are distinct, so two groups may well be of one bucket. */
function cut(buckets: readonly number[], totals: readonly number[]): Pick<BucketGroups, 'buckets' | 'sizes'> {
  if (totals.every((total) => total <= MAX_GROUP)) return { buckets, sizes: totals };
  const cutBuckets: number[] = [];
  const sizes: number[] = [];
  totals.forEach((total, group) => {
    for (let left = total; left > 0; left -= MAX_GROUP) {
      cutBuckets.push(buckets[group]!);
      sizes.push(Math.min(left, MAX_GROUP));
    }
  });
  return { buckets: cutBuckets, sizes };
}
