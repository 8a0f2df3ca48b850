/** The ledger's port: what a commit judges and counts. Run against every ledger there is. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { positionOf, START } from '../../../lease/position.ts';
import { column, commitRequest, ledgerSpec, markAt, positions, SHARD } from '../../support/ledger-builder.ts';
import type { MakeLedger } from './ledgers.ts';

const begun = (period: number, buckets: number | undefined) => ({ period, buckets });
const OTHER_SHARD = 'account:stream:1:shardId-000000000001';

export function describeJudging(makeLedger: MakeLedger): void {
  const opened = async (overrides = {}) => {
    const ledger = makeLedger(ledgerSpec(overrides));
    await ledger.open({ shard: SHARD, slot: 0, generation: 1, start: START });
    return ledger;
  };

  describe('judging', () => {
    it('calls the first copy fresh, and copies in the same batch, another batch and another shard duplicate', async () => {
      const ledger = await opened();
      await ledger.open({ shard: OTHER_SHARD, slot: 0, generation: 1, start: START });
      const first = commitRequest({
        copies: [
          { at: 1, id: 5 },
          { at: 3, id: 6 },
        ],
        furtherAt: [2, 4],
      });

      expect(await ledger.commit(first)).toMatchObject({ kind: 'ok', duplicates: positions([2, 4]) });
      const second = commitRequest({
        from: first.to,
        layouts: [begun(0, 4)],
        copies: [
          { at: 5, id: 6 },
          { at: 6, id: 7 },
        ],
      });
      expect(await ledger.commit(second)).toMatchObject({ kind: 'ok', duplicates: positions([5]) });
      const elsewhere = commitRequest({ shard: OTHER_SHARD, layouts: [begun(0, 4)], copies: [{ at: 9, id: 7 }] });
      expect(await ledger.commit(elsewhere)).toMatchObject({ kind: 'ok', duplicates: positions([9]) });

      expect(await ledger.totals()).toEqual(
        new Map([
          ['f', 3],
          ['d', 4],
          ['c:kind:a', 3],
        ]),
      );
    });

    it('raises the counters of fresh records only, by their class', async () => {
      const ledger = await opened();
      const classes = [['c:kind:a', 'c:land:}{ \n'], ['c:kind:b'], []];
      const records = [0, 1, 2, 0].map((kind, i) => ({ at: i + 1, id: 7 * i, class: kind }));
      const first = commitRequest({ classes, copies: records, rejected: 2 });
      await ledger.commit(first);
      const second = commitRequest({
        classes,
        from: first.to,
        layouts: [begun(0, 4)],
        copies: [
          { at: 5, id: 0 },
          { at: 6, id: 99, class: 1 },
        ],
      });
      await ledger.commit(second);

      expect(await ledger.totals()).toEqual(
        new Map([
          ['f', 5],
          ['d', 1],
          ['x', 2],
          ['c:kind:a', 2],
          ['c:land:}{ \n', 2],
          ['c:kind:b', 2],
        ]),
      );
    });

    it('looks into both neighbour periods when told to, and into none otherwise', async () => {
      const ledger = await opened();
      const before = commitRequest({ copies: [{ at: 1, id: 1, bucketKey: -3_000 }], newBuckets: 3 });
      await ledger.commit(before);
      const after = commitRequest({
        from: before.to,
        layouts: [begun(2, undefined)],
        newBuckets: 5,
        copies: [{ at: 2, id: 2, bucketKey: 9_999 }],
      });
      await ledger.commit(after);
      const between = commitRequest({
        from: after.to,
        layouts: [begun(1, undefined), begun(0, 3), begun(2, 5)],
        newBuckets: 7,
        copies: [
          { at: 3, id: 1, bucketKey: -3_000 },
          { at: 4, id: 3 },
          { at: 5, id: 2, bucketKey: 9_999 },
        ],
      });
      expect(await ledger.commit(between)).toMatchObject({ kind: 'ok', duplicates: positions([3, 5]) });
      const alone = commitRequest({
        from: between.to,
        layouts: [begun(1, 7), begun(5, undefined)],
        copies: [{ at: 6, id: 1, bucketKey: -3_000 }],
      });
      expect(await ledger.commit(alone)).toMatchObject({ kind: 'ok', duplicates: [] });
    });

    it('counts a member of a unique once, whatever its record is judged', async () => {
      const ledger = await opened();
      const member = (n: number) => Buffer.from([0, 255, 10, 13, 0, 0, 32, n]);
      const plain = { unique: 'players', set: '3', counter: 'u:players' };
      const perValue = { unique: 'players_by', set: 'de', counter: 'v:players_by:de' };
      const first = commitRequest({
        uniques: [
          { ...plain, members: Buffer.concat([member(1), member(2)]) },
          { ...plain, set: '4', members: member(3) },
          { ...perValue, members: member(1) },
        ],
      });
      const second = commitRequest({
        from: first.to,
        to: markAt(2),
        layouts: [],
        uniques: [
          { ...plain, members: Buffer.concat([member(2), member(4)]) },
          { ...perValue, members: member(1) },
        ],
      });
      await ledger.commit(first);
      await ledger.commit(second);
      expect(await ledger.totals()).toEqual(
        new Map([
          ['u:players', 4],
          ['v:players_by:de', 1],
        ]),
      );
    });

    it('estimates an approximate unique, within a few in a hundred and however often a member comes', async () => {
      const ledger = await opened();
      const members = (from: number, count: number): Buffer =>
        Buffer.concat(
          Array.from({ length: count }, (_, i) =>
            createHash('sha256')
              .update(String(from + i))
              .digest()
              .subarray(0, 8),
          ),
        );
      const devices = { unique: 'devices', set: '0', counter: 'u:devices', isApproximate: true };
      const exact = { unique: 'devices', set: '0', counter: 'u:exact', members: members(0, 3) };
      const first = commitRequest({ uniques: [{ ...devices, members: members(0, 6_000) }, exact] });
      const second = commitRequest({
        ...{ from: first.to, to: markAt(2), layouts: [] },
        uniques: [{ ...devices, members: members(3_000, 5_000) }],
      });
      const third = commitRequest({ ...second, from: second.to, to: markAt(3) });
      for (const request of [first, second]) expect(await ledger.commit(request)).toMatchObject({ kind: 'ok' });
      const estimate = (await ledger.totals()).get('u:devices') ?? 0;
      await ledger.commit(third);

      expect(Math.abs(estimate - 8_000)).toBeLessThan(8_000 * 0.04);
      expect(await ledger.totals()).toEqual(
        new Map([
          ['u:devices', estimate],
          ['u:exact', 3],
        ]),
      );
    });

    it('keeps sub-sequence numbers of duplicates, also where all share one sequence number', async () => {
      const ledger = await opened();
      const request = commitRequest({ copies: [{ at: 8, id: 1 }], to: markAt(9) });
      const within = { ...request, further: column([8, 8], [1, 99_999_999]) };
      const duplicates = [positionOf('8', 1), positionOf('8', 99_999_999)];
      expect(await ledger.commit(within)).toMatchObject({ kind: 'ok', duplicates });
      expect(await ledger.open({ shard: SHARD, slot: 0, generation: 1, start: undefined })).toMatchObject({
        duplicates,
      });
    });
  });
}
