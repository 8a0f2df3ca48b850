/** The ledger job's port: claiming a slot, forgetting a period behind the slowest shard, sweeping it. Run against every ledger there is. */
import { describe, expect, it } from 'vitest';
import { END, START } from '../../../lease/position.ts';
import { FORGET_SLACK_MS } from '../../../ledger/ledger.ts';
import { advanceRequest, commitRequest, ledgerSpec, markAt, SHARD, tokenOf } from '../../support/ledger-builder.ts';
import type { MakeLedger } from './ledgers.ts';

const OTHER = 'account:stream:1:shardId-000000000001';
const spec = ledgerSpec();
/** Arrival after which nobody can send a copy of a record of period 0. */
const PAST_MS = spec.periodMs + spec.horizonMs + FORGET_SLACK_MS + 1;

export function describeJob(makeLedger: MakeLedger): void {
  /** A slot with two identities in period 0, claimed by job 1, its one shard at the given arrival. */
  const worked = async (arrivalMs = PAST_MS) => {
    const ledger = makeLedger(spec);
    await ledger.open({ shard: SHARD, slot: 0, generation: 1, start: START });
    const copies = [
      { at: 1, id: 1 },
      { at: 2, id: 2 },
    ];
    const first = commitRequest({ copies });
    await ledger.commit(first);
    const to = markAt(3);
    await ledger.advance(0, [advanceRequest({ from: first.to, to, arrivalMs })]);
    await ledger.openJob(0, 1);
    return { ledger, last: to };
  };
  const layout = { period: 0, buckets: 4 };

  describe('the ledger job', () => {
    it('claims a slot, is told its periods, and refuses every older generation', async () => {
      const { ledger } = await worked();
      const layouts = [{ ...layout, identities: 2 }];
      expect(await ledger.openJob(0, 7)).toEqual({ kind: 'opened', low: 0, layouts });
      expect(await ledger.openJob(0, 7)).toEqual({ kind: 'opened', low: 0, layouts });
      expect(await ledger.openJob(0, 6)).toEqual({ kind: 'fenced', generation: 7 });
      expect(await ledger.forget(0, 6, 0, [])).toEqual({ kind: 'stale' });
      expect(await ledger.sweep(0, 6, layout, 0)).toEqual({ kind: 'stale' });
      expect(await ledger.dropRows(0, 6, [SHARD])).toEqual({ kind: 'stale' });
      expect((await ledger.rows(0)).size).toBe(1);
    });

    it('forgets a period only when every unfinished shard is a horizon and more past its end', async () => {
      const { ledger, last } = await worked(PAST_MS - 1);
      const held = { kind: 'held', shard: SHARD };
      expect(await ledger.forget(0, 1, 0, [SHARD])).toEqual(held);
      const moved = advanceRequest({ from: last, to: markAt(4), arrivalMs: PAST_MS });
      await ledger.advance(0, [moved]);
      expect(await ledger.forget(0, 1, 1, [SHARD])).toEqual(held);
      expect(await ledger.forget(0, 1, 0, [SHARD])).toEqual({ kind: 'ok' });
      expect(await ledger.openJob(0, 1)).toMatchObject({ low: 1 });
    });

    it('is held by an unfinished shard that has no row yet, and by a row that nobody listed', async () => {
      const { ledger } = await worked();
      expect(await ledger.forget(0, 1, 0, [SHARD, OTHER])).toEqual({ kind: 'held', shard: OTHER });
      await ledger.open({ shard: OTHER, slot: 0, generation: 1, start: START });
      expect(await ledger.forget(0, 1, 0, [SHARD])).toEqual({ kind: 'held', shard: OTHER });
      const ended = advanceRequest({ shard: OTHER, to: { position: END, token: tokenOf(9) }, arrivalMs: 0 });
      await ledger.advance(0, [ended]);
      // It ended after somebody had seen it unfinished: a child of it may have no row yet.
      expect(await ledger.forget(0, 1, 0, [SHARD, OTHER])).toEqual({ kind: 'held', shard: OTHER });
      expect(await ledger.forget(0, 1, 0, [SHARD])).toEqual({ kind: 'ok' });
    });

    it('sweeps nothing of a period that is not forgotten, and at the end also its layout', async () => {
      const { ledger } = await worked();
      expect(await ledger.sweep(0, 1, layout, 0)).toEqual({ kind: 'stale' });
      await ledger.forget(0, 1, 0, [SHARD]);
      expect(await ledger.openJob(0, 1)).toMatchObject({ layouts: [{ period: 0 }] });
      expect(await ledger.sweep(0, 1, layout, 0)).toEqual({ kind: 'ok' });
      expect(await ledger.openJob(0, 1)).toMatchObject({ low: 1, layouts: [] });
    });

    it('drops rows of shards that are no more, and lets others be', async () => {
      const { ledger } = await worked();
      await ledger.open({ shard: OTHER, slot: 0, generation: 1, start: START });
      expect(await ledger.dropRows(0, 1, [SHARD, 'unknown'])).toEqual({ kind: 'ok' });
      expect([...(await ledger.rows(0)).keys()]).toEqual([OTHER]);
    });
  });

  describe('a forgotten period', () => {
    it('is empty for a commit, before it is swept and after', async () => {
      const { ledger, last } = await worked();
      await ledger.forget(0, 1, 0, [SHARD]);
      expect(await ledger.open({ shard: SHARD, slot: 0, generation: 1, start: undefined })).toMatchObject({
        layouts: [],
      });
      const next = { from: last, to: markAt(9), copies: [{ at: 9, id: 1 }] };
      const own = { period: 1, buckets: undefined };
      const relying = commitRequest({ ...next, layouts: [own, { period: 0, buckets: 4 }] });
      const truth = [
        { ...own, identities: 0 },
        { period: 0, buckets: undefined, identities: 0 },
      ];
      expect(await ledger.commit(relying)).toMatchObject({ kind: 'layout', layouts: truth });
      const commit = commitRequest({ ...next, layouts: [own, { period: 0, buckets: undefined }] });
      expect(await ledger.commit(commit)).toMatchObject({ kind: 'ok', duplicates: [] });
    });

    it('keeps nothing of a record that arrived in it: only a reset leads there', async () => {
      const { ledger, last } = await worked();
      await ledger.forget(0, 1, 0, [SHARD]);
      let from = last;
      for (const at of [4, 5]) {
        const commit = commitRequest({ from, copies: [{ at, id: 9 }] });
        expect(await ledger.commit(commit)).toMatchObject({ kind: 'ok', duplicates: [] });
        from = commit.to;
      }
      expect((await ledger.totals()).get('f')).toBe(4);
      expect(await ledger.openJob(0, 1)).toMatchObject({ layouts: [{ ...layout, identities: 2 }] });
    });
  });
}
