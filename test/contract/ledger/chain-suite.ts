/** The ledger's port: rows, generations, the chain, and what is kept for a replay. Run against every ledger there is. */
import { describe, expect, it } from 'vitest';
import { END, positionOf, START } from '../../../lease/position.ts';
import {
  advanceRequest,
  commitRequest,
  ledgerSpec,
  markAt,
  NEW_ROW,
  positions,
  SHARD,
  tokenOf,
} from '../../support/ledger-builder.ts';
import type { MakeLedger } from './ledgers.ts';

const open = { shard: SHARD, slot: 0, generation: 1, start: undefined };
const BEGUN = [{ period: 0, buckets: 4 }];

export function describeChain(makeLedger: MakeLedger): void {
  const opened = async (generation = 1) => {
    const ledger = makeLedger(ledgerSpec());
    await ledger.open({ ...open, generation, start: START });
    return ledger;
  };

  describe('a row', () => {
    it('is created where told, and only then', async () => {
      const ledger = makeLedger(ledgerSpec());
      const start = positionOf('17', 3);
      expect(await ledger.open(open)).toMatchObject({ kind: 'missing' });
      const row = { generation: 4, position: start, token: '-', floor: start, arrivalMs: 0, watermarkMs: 0 };
      expect(await ledger.open({ ...open, generation: 4, start })).toMatchObject({
        kind: 'opened',
        row,
        duplicates: [],
      });
      expect(await ledger.open({ ...open, generation: 4, start: START })).toMatchObject({ kind: 'opened', row });
      const another = await ledger.open({ ...open, shard: 'another', start });
      expect(another).toMatchObject({ kind: 'opened', previousGeneration: undefined });
      expect((await ledger.rows(0)).get(SHARD)).toEqual(row);
    });

    it('keeps position and token when a new generation opens it, and refuses every older one', async () => {
      const ledger = await opened();
      const first = commitRequest({ copies: [{ at: 1, id: 1 }] });
      await ledger.commit(first);
      expect(await ledger.open({ ...open, generation: 2 })).toMatchObject({
        row: { ...first.to, generation: 2 },
        previousGeneration: 1,
      });
      expect(await ledger.open({ ...open, generation: 2 })).toMatchObject({ previousGeneration: 2 });

      const fenced = { kind: 'fenced', generation: 2 };
      expect(await ledger.open(open)).toMatchObject(fenced);
      expect(await ledger.commit(first)).toMatchObject(fenced);
      expect(await ledger.advance(0, [advanceRequest()])).toMatchObject({ answers: [fenced] });
      expect((await ledger.totals()).get('f')).toBe(1);
    });

    it('is stale for a generation that has not opened it, and where there is none', async () => {
      const ledger = await opened();
      const row = { position: START, generation: 1 };
      expect(await ledger.commit(commitRequest({ generation: 2 }))).toMatchObject({ kind: 'stale', row });
      expect(await ledger.commit(commitRequest({ shard: 'other' }))).toMatchObject({ kind: 'stale', row: undefined });
      const asked = [advanceRequest({ generation: 2 }), advanceRequest({ shard: 'other' }), advanceRequest()];
      const { answers } = await ledger.advance(0, asked);
      expect(answers).toMatchObject([{ kind: 'stale', row }, { kind: 'stale', row: undefined }, { kind: 'ok' }]);
    });
  });

  describe('the chain', () => {
    it('refuses a commit that builds on another position or token, and changes nothing', async () => {
      const ledger = await opened();
      const first = commitRequest({ copies: [{ at: 1, id: 1 }] });
      await ledger.commit(first);
      const row = { ...first.to, generation: 1 };
      const wrong = [NEW_ROW, markAt(2), { ...first.to, token: tokenOf(99) }, { ...first.to, position: START }];
      for (const from of wrong) {
        const commit = commitRequest({ from, to: markAt(7), layouts: BEGUN, copies: [{ at: 7, id: 7 }], rejected: 1 });
        expect(await ledger.commit(commit)).toMatchObject({ kind: 'stale', row });
        const { answers } = await ledger.advance(0, [advanceRequest({ from, to: markAt(8) })]);
        expect(answers).toMatchObject([{ kind: 'stale', row }]);
      }
      expect(await ledger.totals()).toEqual(
        new Map([
          ['f', 1],
          ['c:kind:a', 1],
        ]),
      );
    });

    it('answers a repeated attempt as it did the first time, and counts nothing twice', async () => {
      const ledger = await opened();
      const request = commitRequest({
        copies: [
          { at: 1, id: 1 },
          { at: 4, id: 2 },
        ],
        furtherAt: [2, 3],
      });
      await ledger.commit(request);
      const again = { kind: 'applied', duplicates: positions([2, 3]) };
      expect(await ledger.commit(request)).toMatchObject(again);
      expect(await ledger.commit(request)).toMatchObject(again);
      expect((await ledger.totals()).get('d')).toBe(2);

      await ledger.advance(0, [advanceRequest({ from: request.to, to: markAt(5) })]);
      expect(await ledger.commit(request)).toMatchObject({ kind: 'stale', row: markAt(5) });
    });

    it('answers a repeated attempt alike below the floor, where a heal commits', async () => {
      const ledger = await opened();
      const request = commitRequest({ copies: [{ at: 1, id: 1 }], furtherAt: [2], floor: positionOf('50') });
      await ledger.commit(request);
      expect(await ledger.commit(request)).toMatchObject({ kind: 'applied', duplicates: positions([2]) });
      expect(await ledger.open(open)).toMatchObject({ duplicates: [] });
    });

    it('names the true layouts when one differs, with their counts, and changes nothing', async () => {
      const ledger = await opened();
      const first = commitRequest({
        copies: [
          { at: 1, id: 1 },
          { at: 2, id: 2 },
        ],
      });
      await ledger.commit(first);
      for (const layouts of [
        [
          { period: 0, buckets: undefined },
          { period: 1, buckets: undefined },
        ],
        [
          { period: 0, buckets: 5 },
          { period: 1, buckets: undefined },
        ],
        [
          { period: 0, buckets: 4 },
          { period: 1, buckets: 4 },
        ],
      ]) {
        const commit = commitRequest({ from: first.to, layouts, copies: [{ at: 3, id: 3 }] });
        expect(await ledger.commit(commit)).toMatchObject({
          kind: 'layout',
          layouts: [
            { period: 0, buckets: 4, identities: 2 },
            { period: 1, buckets: undefined, identities: 0 },
          ],
        });
      }
      expect(await ledger.open(open)).toMatchObject({
        row: first.to,
        layouts: [{ period: 0, buckets: 4, identities: 2 }],
      });
    });
  });

  describe('advance', () => {
    it('with nothing to move only proves that the row is still ours', async () => {
      const ledger = await opened();
      const { answers } = await ledger.advance(0, [
        advanceRequest({ to: NEW_ROW, arrivalMs: 5, floor: positionOf('9') }),
      ]);
      expect(answers).toEqual([{ kind: 'applied' }]);
      expect((await ledger.rows(0)).get(SHARD)).toMatchObject({ ...NEW_ROW, arrivalMs: 0, floor: START });
    });

    it('moves floor, arrival and watermark alone under a new token, and no floor back', async () => {
      const ledger = await opened();
      const first = advanceRequest({ floor: positionOf('9'), to: { position: START, token: tokenOf(1) } });
      const second = advanceRequest({ from: first.to, to: { position: START, token: tokenOf(2) }, watermarkMs: 7 });
      expect(await ledger.advance(0, [first])).toMatchObject({ answers: [{ kind: 'ok' }] });
      expect(await ledger.advance(0, [second])).toMatchObject({ answers: [{ kind: 'ok' }] });
      expect((await ledger.rows(0)).get(SHARD)).toEqual({
        ...{ generation: 1, position: START, token: tokenOf(2) },
        ...{ floor: positionOf('9'), arrivalMs: 100, watermarkMs: 7 },
      });
    });
  });

  describe('what is kept for a replay', () => {
    it('are the duplicates above the floor', async () => {
      const ledger = await opened();
      let from = NEW_ROW;
      for (const last of [10, 20, 30]) {
        const commit = commitRequest({
          ...{ from, layouts: last === 10 ? [{ period: 0, buckets: undefined }] : BEGUN },
          ...{ copies: [{ at: last - 5, id: last }], furtherAt: [last - 4, last] },
        });
        await ledger.commit(commit);
        from = commit.to;
      }
      expect(await ledger.open(open)).toMatchObject({ duplicates: positions([6, 10, 16, 20, 26, 30]) });

      const to = { ...from, token: tokenOf(77) };
      await ledger.advance(0, [advanceRequest({ from, to, floor: positionOf('17') })]);
      expect(await ledger.open(open)).toMatchObject({ duplicates: positions([20, 26, 30]) });
    });

    it('is nothing once the shard has ended and the floor with it', async () => {
      const ledger = await opened();
      const commit = commitRequest({ copies: [{ at: 1, id: 1 }], furtherAt: [2] });
      await ledger.commit(commit);
      const end = { position: END, token: tokenOf(3) };
      const ended = advanceRequest({ from: commit.to, to: end, floor: positionOf('1') });
      await ledger.advance(0, [ended]);
      expect(await ledger.open(open)).toMatchObject({ row: end, duplicates: positions([2]) });
      const last = advanceRequest({ from: end, to: { ...end, token: tokenOf(4) }, floor: END });
      await ledger.advance(0, [last]);
      expect(await ledger.open(open)).toMatchObject({ row: { position: END, floor: END }, duplicates: [] });
    });
  });
}
