import { describe, expect, it } from 'vitest';
import { groupByBucket, MAX_GROUP } from '../../../../ledger/redis/bucket-groups.ts';

const SPEC = { periodMs: 2_000, bucketBy: 'hash' } as const;

describe('ids grouped by bucket', () => {
  it('stand together, in the order they had', () => {
    const groups = groupByBucket(Float64Array.from([5, 1, 15, 11, 25, 21]), 10, SPEC);
    expect(groups).toEqual({ order: Uint32Array.from([0, 2, 4, 1, 3, 5]), buckets: [5, 1], sizes: [3, 3] });
  });

  it('stand behind the groups where one or two share a bucket, each with its bucket', () => {
    const groups = groupByBucket(Float64Array.from([3, 1, 5, 1, 15, 25]), 10, SPEC);
    expect(groups).toEqual({ order: Uint32Array.from([2, 4, 5, 0, 1, 3]), buckets: [5, 3, 1, 1], sizes: [3] });
  });

  it('are cut where a group is more than a script can unpack', () => {
    const keys = Float64Array.from({ length: 2 * MAX_GROUP + 5 }, (_, i) => (i === 3 ? 1 : 0));
    const { order, buckets, sizes } = groupByBucket(keys, 10, SPEC);
    expect({ buckets, sizes }).toEqual({ buckets: [0, 0, 0, 1], sizes: [MAX_GROUP, MAX_GROUP, 4] });
    expect(order.at(-1)).toBe(3);
  });

  it('are none when there are no ids', () => {
    expect(groupByBucket(new Float64Array(), 10, SPEC)).toEqual({ order: new Uint32Array(), buckets: [], sizes: [] });
  });
});
