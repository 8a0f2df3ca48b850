import { describe, expect, it } from 'vitest';
import type { ListedShard } from '../../../controller/fleet-view.ts';
import { hashRangeHoles, isCovered, rangeOf, shardsFor } from '../../../controller/hash-ranges.ts';
import type { Lease } from '../../../lease/lease.ts';
import { buildLease, testLeaseKey } from '../../support/lease-builder.ts';

const END = 2n ** 128n - 1n;
const HALF = END / 2n;

function shard(shardId: string, from: bigint, through: bigint, parents: readonly string[] = []): ListedShard {
  return { shardId, parents, isClosed: false, startingHashKey: String(from), endingHashKey: String(through) };
}

function leases(...shards: readonly (ListedShard & Partial<Lease>)[]): Map<string, Lease> {
  return new Map(
    shards.map(({ shardId, isClosed: _, ...lease }) => [shardId, buildLease({ ...lease, key: testLeaseKey(shardId) })]),
  );
}

const [low, high] = [shard('low', 0n, HALF), shard('high', HALF + 1n, END)];

describe('the holes of a hash range', () => {
  it('are none when unfinished leases cover it, overlapping or not', () => {
    expect(hashRangeHoles(leases(low, high), [])).toEqual([]);
    expect(hashRangeHoles(leases(low, high, shard('parent', 0n, END)), [])).toEqual([]);
  });

  it('are what lies before, between and after the leases', () => {
    const found = hashRangeHoles(leases(shard('a', 10n, 19n), shard('b', 30n, END - 1n)), []);
    expect(found).toEqual([
      { from: 0n, through: 9n },
      { from: 20n, through: 29n },
      { from: END, through: END },
    ]);
  });

  it('are not filled by finished leases', () => {
    const finished = { ...low, checkpoint: { kind: 'SHARD_END' } } as const;
    expect(hashRangeHoles(leases(finished, high), [])).toEqual([{ from: 0n, through: HALF }]);
  });

  it('are not made by a row without a range, when its shard is listed with one', () => {
    const bare = new Map([['low', buildLease({ key: testLeaseKey('low') })], ...leases(high)]);
    expect(hashRangeHoles(bare, [low, high])).toEqual([]);
    expect(hashRangeHoles(bare, [high])).toEqual([{ from: 0n, through: HALF }]);
  });
});

describe('the shards that fill a hole', () => {
  const hole = { from: 0n, through: HALF };

  it('are the youngest that overlap it and have no row', () => {
    const [child, other] = [shard('child', 0n, 99n, ['low']), shard('other', 100n, HALF, ['low'])];
    expect(shardsFor(hole, leases(high), [low, high, child, other])).toEqual([child, other]);
    expect(shardsFor(hole, leases(high, child), [low, high, child, other])).toEqual([other]);
  });

  it('are none when what would fill it was finished: that is final', () => {
    const finished = { ...low, checkpoint: { kind: 'SHARD_END' } } as const;
    expect(shardsFor(hole, leases(finished, high), [low, high])).toEqual([]);
  });
});

describe('covering', () => {
  it('needs every part of the range, and the range of every part', () => {
    const whole = rangeOf(shard('p', 0n, 99n));
    const [first, second] = [rangeOf(shard('a', 0n, 49n)), rangeOf(shard('b', 50n, 99n))];
    expect(isCovered(whole, [second, first])).toBe(true);
    expect(isCovered(whole, [first])).toBe(false);
    expect(isCovered(whole, [first, undefined])).toBe(false);
    expect(isCovered(whole, [{ from: 0n, through: END }])).toBe(true);
    expect(isCovered(undefined, [])).toBe(true);
  });
});
