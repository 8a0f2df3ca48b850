/** Unpacking aggregated records: against the published reference package, and where reading begins inside of one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionOf, START } from '../../../../lease/position.ts';
import { deaggregate } from '../../../../worker/pipeline/deaggregate.ts';
import { narrowedRange } from '../../../../worker/pipeline/hash-range.ts';
import { rawBatchOf } from '../../../support/fake-source.ts';
import {
  aggregateOf,
  type KplRecord,
  oracleAggregate,
  sealed,
  type Unpacked,
  unpack,
  userRecord,
} from '../../../support/kpl.ts';

const inOrder = (a: string, b: string): number => (a < b ? -1 : 1);

const key = fc.string({ minLength: 1, maxLength: 12 }).map((text) => `k${text}`);
const kplRecord: fc.Arbitrary<KplRecord> = fc
  .record({
    partitionKey: key,
    hashKey: fc.option(fc.bigInt({ min: 2n ** 40n, max: 2n ** 128n - 1n })),
    data: fc.uint8Array({ maxLength: 200 }),
  })
  .map(({ hashKey, ...rest }) => ({ ...rest, ...(hashKey !== null && { explicitHashKey: String(hashKey) }) }));

const texts = (unpacked: readonly Unpacked[]): string[] => unpacked.map(({ payload }) => payload.toString());
const places = (unpacked: readonly Unpacked[]): string[] =>
  unpacked.map(({ sequenceNumber, sub }) => `${sequenceNumber}.${sub}`);

describe('an aggregate made by the reference package', () => {
  it('gives its user records in order, each at its place, among plain records and other aggregates', () => {
    const kinesisRecord = fc.oneof(
      fc.array(kplRecord, { minLength: 1, maxLength: 12 }),
      fc.uint8Array({ maxLength: 60 }).map((plain) => Buffer.from(plain)),
    );
    fc.assert(
      fc.property(fc.array(kinesisRecord, { maxLength: 6 }), (records) => {
        const payloads = records.map((one) => (Buffer.isBuffer(one) ? one : oracleAggregate(one)));

        const unpacked = unpack(rawBatchOf(payloads.map((payload, i) => ({ sequenceNumber: `${i + 1}`, payload }))));

        const expected = records.flatMap((one, i) =>
          (Buffer.isBuffer(one) ? [one] : one.map(({ data }) => Buffer.from(data))).map((payload, sub) => ({
            sequenceNumber: `${i + 1}`,
            sub,
            payload,
          })),
        );
        expect(unpacked).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the arrival time of its Kinesis record in every user record', () => {
    const payload = aggregateOf('a', 'b');
    const raw = rawBatchOf([
      { sequenceNumber: '7', payload, arrivalMs: 1234 },
      { sequenceNumber: '8', payload: 'c', arrivalMs: 1300 },
    ]);

    const [records] = deaggregate(raw, START);

    expect([...records!.arrivalsMs]).toEqual([1234, 1234, 1300]);
  });
});

describe('reading that begins inside an aggregate', () => {
  const payloads = Array.from({ length: 100 }, (_, i) => `record ${i}`);
  const raw = rawBatchOf([
    { sequenceNumber: '500', payload: aggregateOf(...payloads) },
    { sequenceNumber: '501', payload: 'plain' },
  ]);

  it('after sub-sequence number 41 goes on with 42, exactly', () => {
    const unpacked = unpack(raw, positionOf('500', 41));

    expect(places(unpacked).slice(0, 2)).toEqual(['500.42', '500.43']);
    expect(texts(unpacked)).toEqual([...payloads.slice(42), 'plain']);
  });

  it.each([
    ['before its record', positionOf('499', 7), 101],
    ['after its first user record', positionOf('500', 0), 100],
    ['after its last user record', positionOf('500', 99), 1],
    ['after a later record', positionOf('501'), 0],
  ])('%s leaves out what is done and nothing else', (_, after, left) => {
    expect(unpack(raw, after)).toHaveLength(left);
  });

  it('gives every user record once, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.nat(100), (cut) => {
        const all = unpack(raw);
        const last = all[cut]!;
        const rest = unpack(raw, positionOf(last.sequenceNumber, last.sub));
        expect([...all.slice(0, cut + 1), ...rest]).toEqual(all);
      }),
    );
  });

  it('leaves out a plain record that was read again', () => {
    const plain = rawBatchOf([
      { sequenceNumber: '500', payload: 'a' },
      { sequenceNumber: '501', payload: 'b' },
    ]);
    expect(texts(unpack(plain, positionOf('500')))).toEqual(['b']);
  });
});

describe('a batch', () => {
  it('without aggregates passes as it was read', () => {
    const raw = rawBatchOf([{ sequenceNumber: '1', payload: 'a' }]);

    const [records, ...more] = deaggregate(raw, START);

    expect(records!.bytes).toBe(raw.bytes);
    expect(records!.starts).toBe(raw.starts);
    expect(records!.positions.sequenceNumbers).toBe(raw.sequenceNumbers);
    expect(more).toEqual([]);
  });

  it('that is empty, or was done before, still gives one empty batch, so that the loop turns', () => {
    const done = rawBatchOf([{ sequenceNumber: '5', payload: aggregateOf('a') }]);
    const counts = [[...deaggregate(rawBatchOf([]), START)], [...deaggregate(done, positionOf('5', 3))]].map(
      (batches) => batches.map(({ count }) => count),
    );

    expect(counts).toEqual([[0], [0]]);
  });

  it('that unfolds to more than 1,000 user records comes in several, cut also inside an aggregate', () => {
    const large = aggregateOf(...Array.from({ length: 1500 }, (_, i) => String(i)));
    const raw = rawBatchOf([
      { sequenceNumber: '1', payload: 'plain' },
      { sequenceNumber: '2', payload: large },
      { sequenceNumber: '3', payload: large },
    ]);

    expect([...deaggregate(raw, START)].map(({ count }) => count)).toEqual([1000, 1000, 1000, 1]);
    expect(places(unpack(raw)).slice(999, 1002)).toEqual(['2.998', '2.999', '2.1000']);
  });
});

describe("a pipeline that takes only the shard's own hash range", () => {
  const half = 2n ** 127n;
  const lease = { parents: ['parent'], startingHashKey: String(half), endingHashKey: String(2n * half - 1n) };
  const own = narrowedRange(lease);
  const record = (data: string, explicitHashKey?: bigint): KplRecord => ({
    partitionKey: 'k-a',
    data: Buffer.from(data),
    ...(explicitHashKey !== undefined && { explicitHashKey: String(explicitHashKey) }),
  });
  const raw = rawBatchOf([
    {
      sequenceNumber: '1',
      payload: oracleAggregate([record('low', half - 1n), record('high', half), record('lower', 2n ** 41n)]),
    },
    { sequenceNumber: '2', payload: 'plain' },
  ]);

  it('leaves out the others of an aggregate, counts them, and keeps the places of those that stay', () => {
    const batches = [...deaggregate(raw, START, own)];

    expect(batches.map(({ outsideRange }) => outsideRange)).toEqual([2]);
    expect(places(unpack(raw, START, own))).toEqual(['1.1', '2.0']);
  });

  it('takes the MD5 of the partition key where there is no explicit hash key', () => {
    const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`);
    const payload = oracleAggregate(keys.map((partitionKey) => ({ partitionKey, data: Buffer.from(partitionKey) })));
    const both = [own!, { first: 0n, last: half - 1n }].map((range) =>
      texts(unpack(rawBatchOf([{ sequenceNumber: '1', payload }]), START, range)),
    );

    expect(both[0]!.length).toBeGreaterThan(5);
    expect(both.flat().toSorted(inOrder)).toEqual(keys.toSorted(inOrder));
  });

  it('keeps a record whose key cannot be told', () => {
    const noTable = rawBatchOf([{ sequenceNumber: '1', payload: sealed(userRecord('x')) }]);
    expect(texts(unpack(noTable, START, own))).toEqual(['x']);
    const explicit = oracleAggregate([{ ...record('x'), explicitHashKey: 'not a number' }]);
    expect(texts(unpack(rawBatchOf([{ sequenceNumber: '1', payload: explicit }]), START, own))).toEqual(['x']);
  });

  it('leaves nothing out of a shard that has no parents, and none does unless it is asked for', () => {
    expect(narrowedRange({ ...lease, parents: [] })).toBeUndefined();
    expect(texts(unpack(raw))).toEqual(['low', 'high', 'lower', 'plain']);
  });
});
