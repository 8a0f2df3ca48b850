/** The ledger's port: identities in their buckets, however they share them. Run against every ledger there is. */
import { describe, expect, it } from 'vitest';
import { START } from '../../../lease/position.ts';
import { type Copy, commitRequest, ledgerSpec, positions, SHARD } from '../../support/ledger-builder.ts';
import type { MakeLedger } from './ledgers.ts';

const begun = (period: number, buckets: number | undefined) => ({ period, buckets });

function copies(count: number, copy: (i: number) => Partial<Copy> = () => ({})): Copy[] {
  return Array.from({ length: count }, (_, i) => ({ at: i + 1, id: 7 * i, ...copy(i) }));
}

export function describeBuckets(makeLedger: MakeLedger): void {
  const opened = async (overrides = {}) => {
    const ledger = makeLedger(ledgerSpec(overrides));
    await ledger.open({ shard: SHARD, slot: 0, generation: 1, start: START });
    return ledger;
  };
  /** The same copies in two commits: all fresh, then all duplicate. */
  const assessTwice = async (records: readonly Copy[], overrides = {}, newBuckets = 4) => {
    const ledger = await opened(overrides);
    const count = records.length;
    const first = commitRequest({ copies: records, newBuckets });
    const again = commitRequest({
      copies: records.map((record) => ({ ...record, at: record.at + count })),
      from: first.to,
      layouts: [begun(0, newBuckets)],
    });
    expect(await ledger.commit(first)).toMatchObject({ kind: 'ok', duplicates: [] });
    expect(await ledger.commit(again)).toMatchObject({
      kind: 'ok',
      duplicates: positions(records.map(({ at }) => at + count)),
    });
    expect(await ledger.totals()).toEqual(
      new Map([
        ['f', count],
        ['d', count],
        ['c:kind:a', count],
      ]),
    );
  };

  describe('buckets', () => {
    it('judges alike whether many of a commit share a bucket, two do, or each has its own', async () => {
      const ledger = await opened({ bucketBy: 'hash' });
      const these = (from: number, count: number, at: number): Copy[] =>
        Array.from({ length: count }, (_, i) => {
          const id = from + i;
          return { at: at + i, id, bucketKey: id % 8 < 4 ? 0 : id, class: id % 2 };
        });
      const classes = [['c:kind:a'], ['c:kind:b']];
      const before = commitRequest({ copies: these(0, 24, 1), newBuckets: 6, classes });
      await ledger.commit(before);
      const own = commitRequest({
        ...{ from: before.to, layouts: [begun(1, undefined), begun(0, 6)], newBuckets: 13, classes },
        copies: these(16, 24, 25),
      });
      expect(await ledger.commit(own)).toMatchObject({
        kind: 'ok',
        duplicates: positions([25, 26, 27, 28, 29, 30, 31, 32]),
      });
      const mixed = commitRequest({
        ...{ from: own.to, layouts: [begun(1, 13), begun(0, 6)], classes },
        copies: [...these(0, 3, 49), ...these(22, 9, 52), ...these(38, 9, 61)],
      });
      const known = [49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62];
      expect(await ledger.commit(mixed)).toMatchObject({ kind: 'ok', duplicates: positions(known) });
      expect(await ledger.totals()).toEqual(
        new Map([
          ['f', 47],
          ['d', 22],
          ['c:kind:a', 24],
          ['c:kind:b', 23],
        ]),
      );
    });

    it.each([
      ['none of its ids', 0, 0],
      ['a few of its ids', 10, 7],
      ['all of its ids', 40, 40],
      ['many others', 500, 0],
      ['many others and a few of its ids', 500, 3],
      ['more than Redis keeps as an array', 700, 0],
      ['more than Redis keeps as an array, and a few of its ids', 700, 3],
    ])('judges a group alike when its bucket holds %s', async (_, held, known) => {
      const ledger = await opened();
      const inOneBucket = (from: number, count: number, at: number) =>
        copies(count, (i) => ({ at: at + i, id: from + i, bucketKey: 0 }));
      const elsewhere: Copy = { at: 1_000, id: 9_000, bucketKey: 1_999 };
      const before = commitRequest({ copies: [...inOneBucket(0, held, 1), elsewhere] });
      await ledger.commit(before);
      const request = commitRequest({
        ...{ from: before.to, layouts: [begun(0, 4)] },
        copies: [...inOneBucket(held - known, 40, 1_001), { ...elsewhere, at: 1_041 }],
      });
      const duplicates = positions([...Array.from({ length: known }, (_, i) => 1_001 + i), 1_041]);
      expect(await ledger.commit(request)).toMatchObject({ kind: 'ok', duplicates });
      const fresh = held + 1 + 40 - known;
      expect(await ledger.totals()).toEqual(
        new Map([
          ['f', fresh],
          ['d', known + 1],
          ['c:kind:a', fresh],
        ]),
      );
      const again = commitRequest({
        ...{ from: request.to, layouts: [begun(1, undefined), begun(0, 4)] },
        copies: inOneBucket(held - known, 50, 1_042),
      });
      const others = positions(Array.from({ length: 40 }, (_, i) => 1_042 + i));
      expect(await ledger.commit(again)).toMatchObject({ kind: 'ok', duplicates: others });
    });

    it('finds copies again whose times are absurd', async () => {
      const times = [-1, -1e15, 1e300, -1e300, 0, 2 ** 53, 0.5, Number.MAX_VALUE];
      await assessTwice(times.map((bucketKey, i) => ({ at: i + 1, id: i, bucketKey })));
    });

    it('finds the smallest and the largest id again, in buckets by hash', async () => {
      await assessTwice(
        [0, 1, 2 ** 52 - 1].map((id, i) => ({ at: i + 1, id, bucketKey: 2 ** 52 - 1 - i })),
        { bucketBy: 'hash' },
      );
    });

    it('takes a batch of 1,000 identities in 1,000 buckets', async () => {
      await assessTwice(
        copies(1_000, (i) => ({ bucketKey: i })),
        { bucketBy: 'hash' },
        1_000,
      );
    });

    it('takes more identities of one bucket than Lua can unpack', async () => {
      await assessTwice(copies(9_000), {}, 1);
    });
  });
}
