import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, neighbourPeriods, periodOf, planBuckets, planNextBuckets } from '../../../ledger/buckets.ts';

const HOUR = 3_600_000;
const SPEC = { periodMs: 48 * HOUR, horizonMs: 24 * HOUR };
const BY_TIME = { ...SPEC, bucketBy: 'time' } as const;
const BY_HASH = { ...SPEC, bucketBy: 'hash' } as const;

describe('periods', () => {
  it('begin at multiples of their length, before 1970 too', () => {
    expect([-1, 0, SPEC.periodMs - 1, SPEC.periodMs].map((ms) => periodOf(ms, SPEC.periodMs))).toEqual([-1, 0, 0, 1]);
  });

  it('are looked up on the side where a horizon reaches over the border', () => {
    const start = 7 * SPEC.periodMs;
    const near = (from: number, to = from) => neighbourPeriods(start + from, start + to, SPEC);
    expect(near(0)).toEqual([6]);
    expect(near(24 * HOUR - 1)).toEqual([6]);
    expect(near(24 * HOUR)).toEqual([]);
    expect(near(24 * HOUR + 1)).toEqual([8]);
    expect(near(48 * HOUR - 1)).toEqual([8]);
    expect(near(23 * HOUR, 25 * HOUR)).toEqual([6, 8]);
  });

  it('leave no copy within a horizon unfound: the period of either is the own one or a neighbour of the other', () => {
    const spec = { periodMs: 2_000, horizonMs: 1_000 };
    fc.assert(
      fc.property(fc.integer({ min: -9_000, max: 9_000 }), fc.integer({ min: -999, max: 999 }), (arrival, apart) => {
        const searched = [periodOf(arrival, spec.periodMs), ...neighbourPeriods(arrival, arrival, spec)];
        expect(searched).toContain(periodOf(arrival + apart, spec.periodMs));
      }),
    );
  });
});

describe('the bucket of an identity', () => {
  it('is an integer below the number of buckets for every key whatever', () => {
    const anyKey = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, Infinity, -Infinity, Number.NaN));
    fc.assert(
      fc.property(anyKey, fc.integer({ min: 1, max: 100_000 }), fc.boolean(), (key, buckets, byTime) => {
        const bucket = bucketOf(key, buckets, byTime ? BY_TIME : BY_HASH);
        expect(Number.isInteger(bucket) && bucket >= 0 && bucket < buckets && !Object.is(bucket, -0)).toBe(true);
      }),
    );
  });

  it('by time is shared by a stretch of time, and filled from six stretches of a period', () => {
    const buckets = 4_000;
    const slice = SPEC.periodMs / (6 * buckets);
    expect(bucketOf(0, buckets, BY_TIME)).toBe(0);
    expect(bucketOf(slice - 1, buckets, BY_TIME)).toBe(0);
    expect(bucketOf(slice, buckets, BY_TIME)).toBe(1);
    const stretches = Array.from({ length: 6 * buckets }, (_, i) => bucketOf(i * slice, buckets, BY_TIME));
    expect(stretches.filter((bucket) => bucket === 17)).toHaveLength(6);
  });

  it('by hash is the key modulo the number of buckets', () => {
    expect([0, 9, 10, 2 ** 52 - 1].map((key) => bucketOf(key, 10, BY_HASH))).toEqual([0, 9, 0, 5]);
  });
});

describe('the plan of a period', () => {
  it('has a bucket for each 250 identities expected, and at least one', () => {
    expect([0, 1, 250, 251, 1_000_000].map(planBuckets)).toEqual([1, 1, 1, 2, 4_000]);
  });

  it('expects half as many again as came in the period before', () => {
    expect([0, 1_000, 1_000_000].map(planNextBuckets)).toEqual([1, 6, 6_000]);
  });
});
