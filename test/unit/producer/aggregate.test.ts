/** Packing as the producer library does: byte for byte what the published reference package makes, and reads. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregate } from '../../../producer/aggregate.ts';
import { createGenerator, GENERATOR_DEFAULTS } from '../../../producer/generator.ts';
import { parcelsOf } from '../../../producer/parcels.ts';
import { oracleAggregate, oracleDeaggregate } from '../../support/kpl.ts';

const entry = fc.record({
  partitionKey: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map((text) => `k${text}`),
  explicitHashKey: fc.option(fc.bigInt({ min: 2n ** 40n, max: 2n ** 128n - 1n }).map(String), { nil: undefined }),
  data: fc.uint8Array({ maxLength: 300 }),
});
const entries = fc.array(entry, { minLength: 1, maxLength: 20 });

describe('an aggregate that this producer makes', () => {
  it('has the very bytes that the reference package makes', () => {
    fc.assert(
      fc.property(entries, (all) => {
        const expected = oracleAggregate(
          all.map(({ explicitHashKey, ...rest }) => ({
            ...rest,
            ...(explicitHashKey !== undefined && { explicitHashKey }),
          })),
        );
        expect(Buffer.from(aggregate(all).data).equals(expected)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is read by the reference package, digest and all', () => {
    fc.assert(
      fc.property(entries, (all) => {
        expect(oracleDeaggregate(aggregate(all).data)).toEqual(all.map(({ data }) => Buffer.from(data)));
      }),
      { numRuns: 100 },
    );
  });

  it('goes where its first record goes, and says how many it holds', () => {
    const one = { partitionKey: 'a', explicitHashKey: '5', data: new Uint8Array(1) };
    const { data: _, ...rest } = aggregate([one, { ...one, partitionKey: 'b', explicitHashKey: undefined }]);

    expect(rest).toEqual({ partitionKey: 'a', explicitHashKey: '5', userRecords: 2 });
  });
});

describe('records of a run', () => {
  const next = createGenerator({ ...GENERATOR_DEFAULTS, seed: 1, startMs: 1_790_000_000_000, duplicateShare: 0.2 });
  const records = Array.from({ length: 1_000 }, next);

  it('are packed so that each is there once, and copies for elsewhere are packed apart', () => {
    const parcels = parcelsOf(records, 30);

    expect(new Set(parcels.flatMap((parcel) => parcel.records))).toEqual(new Set(records));
    expect(parcels.reduce((sum, { userRecords = 1 }) => sum + userRecords, 0)).toBe(records.length);
    expect(Math.max(...parcels.map(({ userRecords = 1 }) => userRecords))).toBe(30);
    for (const parcel of parcels) {
      const directions = new Set(parcel.records.map(({ explicitHashKey }) => explicitHashKey === undefined));
      expect(directions.size).toBe(1);
    }
  });

  it('are put as they are when nothing is packed', () => {
    expect(parcelsOf(records, 1).map(({ data }) => data)).toEqual(records.map(({ data }) => data));
  });
});
