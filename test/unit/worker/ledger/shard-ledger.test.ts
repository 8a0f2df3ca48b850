import { describe, expect, it } from 'vitest';
import { START } from '../../../../lease/position.ts';
import { type CommitRequest, type Ledger, LedgerUnavailable } from '../../../../ledger/ledger.ts';
import { createReferenceLedger, emptyReferenceState } from '../../../../ledger/reference.ts';
import type { Judged } from '../../../../worker/ledger/judged.ts';
import { openShardLedger, type ShardLedger } from '../../../../worker/ledger/shard-ledger.ts';
import { Waiting } from '../../../../worker/ledger/waiting.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { commitRequest, ledgerSpec, positions, SHARD } from '../../../support/ledger-builder.ts';
import { at } from '../shard/shard-world.ts';
import { batchOf } from './identified.ts';

const MARKS = { floor: START, arrivalMs: 0 };
const live = new AbortController().signal;

function bench(slots = 1) {
  const clock = new FakeClock();
  const spec = ledgerSpec({ slots });
  const state = emptyReferenceState(slots);
  const reference = createReferenceLedger(spec, state);
  const commits: CommitRequest[] = [];
  const fault: { next: ((request: CommitRequest) => Promise<void>) | undefined } = { next: undefined };
  const ledger: Ledger = {
    ...reference,
    commit: async (request) => {
      commits.push(request);
      const { next } = fault;
      fault.next = undefined;
      await next?.(request);
      return reference.commit(request);
    },
  };
  const waiting = new Waiting(clock);
  const open = async (generation = 1, start: typeof START | 'absent' = START): Promise<ShardLedger> => {
    const parts = { ledger, spec, settleMs: 2_000, clock, waiting, shard: SHARD, generation };
    const opening = await openShardLedger(parts, start === 'absent' ? undefined : start, live);
    if (opening.kind !== 'opened') throw new Error(`slot ${opening.slot} is missing`);
    return opening.ledger;
  };
  return { clock, spec, state, reference, commits, fault, waiting, open };
}

/** Each identity at the position of its number. */
const batchAt = (ids: readonly number[], slots: number) =>
  batchOf(
    ids.map((id) => ({ at: id, id })),
    slots,
  );

function words({ judgements, replayed }: Judged): string[] {
  return [...judgements].map((j, i) => `${['fresh', 'duplicate', 'rejected'][j]}${replayed[i] ? ' again' : ''}`);
}

describe('judging a batch', () => {
  it('finds further copies within the batch and copies of earlier ones', async () => {
    const { open, reference } = bench();
    const ledger = await open();

    const first = await ledger.judge(
      batchOf([
        { at: 1, id: 1 },
        { at: 2, id: 1 },
        { at: 3, id: 'x' },
      ]),
      MARKS,
      live,
    );
    const second = await ledger.judge(
      batchOf([
        { at: 4, id: 2 },
        { at: 5, id: 1 },
      ]),
      MARKS,
      live,
    );

    expect(words(first)).toEqual(['fresh', 'duplicate', 'rejected']);
    expect(words(second)).toEqual(['fresh', 'duplicate']);
    expect(first.counts).toEqual({ fresh: 1, duplicate: 1, rejected: 1, replayed: 0 });
    expect(Object.fromEntries(await reference.totals())).toMatchObject({ f: 2, d: 2, x: 1, 'u:players': 2 });
  });

  it('judges again as before, without a commit, what an earlier owner had committed', async () => {
    const { open, commits, reference } = bench(2);
    const records = [1, 2, 3, 1, 'x', 2, 4] as const;
    const batch = batchOf(
      records.map((id, i) => ({ at: i + 1, id })),
      2,
    );
    const before = await (await open(1)).judge(batch, MARKS, live);
    const sent = commits.length;
    const totals = await reference.totals();

    const after = await (await open(2, 'absent')).judge(batch, MARKS, live);

    expect(words(after)).toEqual(words(before).map((word) => `${word} again`));
    expect(after.counts).toEqual({ fresh: 0, duplicate: 0, rejected: 0, replayed: 7 });
    expect(commits.length).toBe(sent);
    expect(await reference.totals()).toEqual(totals);
  });

  it('commits only what lies above the row when a batch straddles it, slot by slot', async () => {
    const { open, commits, state, reference } = bench(2);
    await (await open(1)).judge(batchAt([1, 2, 3, 4], 2), MARKS, live);
    const kept = structuredClone(state.slots[0]!);
    const ledger = await open(1);
    await ledger.judge(batchAt([1, 2, 3, 4], 2), MARKS, live);
    await ledger.judge(batchAt([5, 6], 2), MARKS, live);
    state.slots[0] = kept;
    commits.length = 0;

    const judged = await (await open(2, 'absent')).judge(batchAt([1, 2, 3, 4, 5, 6], 2), MARKS, live);

    expect(commits.map(({ slot, first }) => [slot, [...first.ids]])).toEqual([[0, [6]]]);
    expect(judged.counts).toMatchObject({ fresh: 1, replayed: 5 });
    expect(Object.fromEntries(await reference.totals())).toMatchObject({ f: 6 });
  });

  it('cuts a batch where the arrival period changes, and still sees the neighbour', async () => {
    const { open, commits, spec } = bench();
    const ledger = await open();
    const border = spec.periodMs;

    const judged = await ledger.judge(
      batchOf([
        { at: 1, id: 1, arrivalMs: border - 1 },
        { at: 2, id: 1, arrivalMs: border },
        { at: 3, id: 2, arrivalMs: border + 1 },
      ]),
      MARKS,
      live,
    );

    expect(words(judged)).toEqual(['fresh', 'duplicate', 'fresh']);
    expect(new Set(commits.map(({ layouts }) => layouts[0]?.period))).toEqual(new Set([0, 1]));
  });

  it('never sends more than 1,000 records in a commit', async () => {
    const { open, commits } = bench();
    const ledger = await open();
    const records = Array.from({ length: 2_100 }, (_, i) => ({ at: i + 1, id: i }));

    const judged = await ledger.judge(batchOf(records), MARKS, live);

    expect(judged.counts.fresh).toBe(2_100);
    expect(commits.map(({ first }) => first.ids.length)).toEqual([1_000, 1_000, 100]);
  });

  it('regroups with a new token when another shard began the period with another layout', async () => {
    const { open, commits, reference } = bench();
    const ledger = await open();
    await reference.open({ shard: 'other', slot: 0, generation: 1, start: START });
    await reference.commit(commitRequest({ shard: 'other', newBuckets: 99 }));

    const judged = await ledger.judge(batchOf([{ at: 1, id: 1 }]), MARKS, live);

    expect(judged.counts.fresh).toBe(1);
    expect(commits.map(({ layouts }) => layouts[0]?.buckets)).toEqual([undefined, 99]);
    expect(new Set(commits.map(({ to }) => to.token)).size).toBe(2);
  });

  it('sends a member of a unique once, and again only after the next open', async () => {
    const { open, commits } = bench();
    const ledger = await open();
    await ledger.judge(
      batchOf([
        { at: 1, id: 1 },
        { at: 2, id: 13 },
      ]),
      MARKS,
      live,
    );
    await ledger.judge(batchOf([{ at: 3, id: 25 }]), MARKS, live);
    await (await open(2)).judge(batchOf([{ at: 4, id: 37 }]), MARKS, live);

    expect(commits.map(({ uniques }) => uniques.map(({ members }) => members.length / 8))).toEqual([[1], [], [1]]);
  });
});

describe('when Redis does not answer', () => {
  it('sends the very same request until there is an answer, and shows that it waits', async () => {
    const { clock, open, commits, fault, reference, waiting } = bench();
    const ledger = await open();
    fault.next = async (request) => {
      await reference.commit(request);
      throw new LedgerUnavailable('deadline', undefined);
    };

    const judging = ledger.judge(
      batchOf([
        { at: 1, id: 1 },
        { at: 2, id: 1 },
      ]),
      MARKS,
      live,
    );
    await clock.flush();
    expect(waiting.isWaiting).toBe(true);
    const judged = await clock.runUntil(judging);

    expect(commits).toHaveLength(2);
    expect(commits[1]).toBe(commits[0]);
    expect(words(judged)).toEqual(['fresh', 'duplicate']);
    expect(waiting.isWaiting).toBe(false);
    expect(Object.fromEntries(await reference.totals())).toMatchObject({ f: 1, d: 1 });
  });

  it('gives up as soon as the signal aborts, with the reason', async () => {
    const { clock, open, fault } = bench();
    const ledger = await open();
    const abort = new AbortController();
    fault.next = () => new Promise(() => undefined);

    const judging = ledger.judge(batchOf([{ at: 1, id: 1 }]), MARKS, abort.signal);
    await clock.flush();
    abort.abort(new Error('lease lost'));

    await expect(judging).rejects.toThrow('lease lost');
  });
});

describe('a row that is not as it was left', () => {
  it('is stale after a lost tail, and fenced after a later open', async () => {
    const { open, state } = bench();
    const ledger = await open();
    await ledger.judge(batchOf([{ at: 1, id: 1 }]), MARKS, live);
    const kept = structuredClone(state.slots[0]!);
    await ledger.judge(batchOf([{ at: 2, id: 2 }]), MARKS, live);
    state.slots[0] = kept;
    await expect(ledger.judge(batchOf([{ at: 3, id: 3 }]), MARKS, live)).rejects.toThrow(
      expect.objectContaining({ code: 'RowWentStale' }),
    );

    const again = await open(1);
    await open(2);
    await expect(again.judge(batchOf([{ at: 2, id: 2 }]), MARKS, live)).rejects.toThrow(
      expect.objectContaining({ code: 'RightLost' }),
    );
  });

  it('throws what no repetition mends, not the row of another slot that only went stale', async () => {
    const { open, state, fault } = bench(2);
    const ledger = await open();
    const kept = structuredClone(state.slots[0]!);
    await ledger.judge(batchAt([1, 2, 3, 4], 2), MARKS, live);
    state.slots[0] = kept;
    const refuse = async ({ slot }: CommitRequest): Promise<void> => {
      fault.next = refuse;
      if (slot === 1) throw new Error('NOPERM');
    };
    fault.next = refuse;

    await expect(ledger.judge(batchAt([5, 6, 7, 8], 2), MARKS, live)).rejects.toThrow('NOPERM');
  });

  it('tells a missing slot from an open one, and creates none unasked', async () => {
    const { open } = bench(2);
    await expect(open(1, 'absent')).rejects.toThrow('slot 0 is missing');
  });

  it('notes duplicates for the next owner down to the last checkpoint', async () => {
    const { open, state } = bench();
    const ledger = await open();
    await ledger.judge(
      batchOf([
        { at: 1, id: 1 },
        { at: 2, id: 1 },
      ]),
      MARKS,
      live,
    );
    await ledger.judge(batchOf([{ at: 3, id: 1 }]), { floor: at(2), arrivalMs: 0 }, live);

    expect([...state.slots[0]!.noted.values()].flat().flatMap((noted) => noted.positions)).toEqual(positions([3]));
  });

  it('goes on where other shards of the slot are many periods ahead', async () => {
    const { open, spec, state, commits, fault } = bench();
    state.slots[0]!.periods.set(100, { buckets: 4, identities: 1, ids: new Set([77]) });
    const stopAt = 10;
    const bounded = async (): Promise<void> => {
      fault.next = bounded;
      if (commits.length > stopAt) throw new Error('the same commit again and again');
    };
    fault.next = bounded;
    const ledger = await open();
    const arrivalMs = spec.periodMs + spec.horizonMs;

    await ledger.judge(batchOf([{ at: 1, id: 1, arrivalMs }]), MARKS, live);
    const second = await ledger.judge(batchOf([{ at: 2, id: 1, arrivalMs }]), MARKS, live);

    expect(words(second)).toEqual(['duplicate']);
  });
});
