/**
 * What every LeaseStore does, run against the fake and against the table: each write in each situation it meets, and
 * each write repeated as a caller does whose answer was lost. `situations` are the lives of a lease, made by legal
 * writes only.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Lease, LeaseKey } from '../../../lease/lease.ts';
import type { LeaseStore, RemoveOutcome, WriteOutcome } from '../../../lease/lease-store.ts';
import { type Checkpoint, positionOf } from '../../../lease/position.ts';
import { testLeaseKey } from '../../support/lease-builder.ts';

/** A position to checkpoint at. */
export function checkpointAfter(sequenceNumber: number, subSequenceNumber = 0): Extract<Checkpoint, { kind: 'AFTER' }> {
  return { kind: 'AFTER', position: positionOf(String(sequenceNumber), subSequenceNumber) };
}

const at60 = positionOf('60');

let keys = 0;

/** A lease key that no other test uses. */
export function newKey(): LeaseKey {
  return testLeaseKey(`shardId-${String(keys++).padStart(12, '0')}`);
}

/** One lease and the writes upon it, so that a situation reads as a sentence. */
export class LeaseLife {
  readonly store: LeaseStore;
  readonly key: LeaseKey;

  constructor(store: LeaseStore, key: LeaseKey) {
    this.store = store;
    this.key = key;
  }

  seen(generation: number) {
    return { key: this.key, generation };
  }

  owned(workerId: string, generation: number) {
    return { key: this.key, workerId, generation };
  }

  async row(): Promise<Lease> {
    const lease = await this.store.read(this.key);
    if (!lease) throw new Error(`no row ${this.key}`);
    return lease;
  }
}

/** Names of the situations in which a lease may be found. Generation numbers are chosen so that 2 is "now". */
export const SITUATIONS = ['missing', 'free', 'held', 'handing', 'taken', 'finished'] as const;
export type Situation = (typeof SITUATIONS)[number];

/** free: counter 2, no owner. held: a in 2. handing: a to b in 2. taken: c in 3. finished: SHARD_END in 2. */
export async function bring(life: LeaseLife, situation: Situation): Promise<void> {
  if (situation === 'missing') return;
  const { store } = life;
  await store.create({ key: life.key, checkpoint: { kind: 'TRIM_HORIZON' }, parents: [] });
  await won(store.assign(life.seen(0), 'z'));
  await won(store.free(life.owned('z', 1)));
  await won(store.assign(life.seen(1), 'a'));
  await won(store.checkpoint(life.owned('a', 2), checkpointAfter(50), 5));
  if (situation === 'free') await won(store.free(life.owned('a', 2)));
  if (situation === 'handing') await won(store.handoff(life.seen(2), 'a', 'b'));
  if (situation === 'taken') await won(store.take(life.seen(2), 'a', 'c'));
  if (situation === 'finished') await won(store.shardEnd(life.owned('a', 2), 6));
}

export async function won(outcome: Promise<WriteOutcome>): Promise<Lease> {
  const found = await outcome;
  if (!found.won) throw new Error(`expected the write to win, found ${JSON.stringify(found.lease)}`);
  return found.lease;
}

export interface Write {
  readonly name: string;
  readonly attempt: (life: LeaseLife) => Promise<WriteOutcome | RemoveOutcome>;
  /** Where it wins; everywhere else it must be refused and change nothing. */
  readonly wins: readonly Situation[];
}

/** Also what docs/protocol.md says of each write, row by row. */
export const WRITES: readonly Write[] = [
  { name: 'assign', attempt: (l) => l.store.assign(l.seen(2), 'n'), wins: ['free'] },
  { name: 'assign with an older counter', attempt: (l) => l.store.assign(l.seen(1), 'n'), wins: [] },
  { name: 'take', attempt: (l) => l.store.take(l.seen(2), 'a', 'n'), wins: ['held'] },
  { name: 'take from another owner', attempt: (l) => l.store.take(l.seen(2), 'x', 'n'), wins: [] },
  { name: 'take from the new owner', attempt: (l) => l.store.take(l.seen(2), 'b', 'n'), wins: [] },
  { name: 'take with an older counter', attempt: (l) => l.store.take(l.seen(1), 'a', 'n'), wins: [] },
  { name: 'handoff', attempt: (l) => l.store.handoff(l.seen(2), 'a', 'n'), wins: ['held'] },
  { name: 'handoff from another owner', attempt: (l) => l.store.handoff(l.seen(2), 'x', 'n'), wins: [] },
  { name: 'handoff from the new owner', attempt: (l) => l.store.handoff(l.seen(2), 'b', 'n'), wins: [] },
  { name: 'handoff with an older counter', attempt: (l) => l.store.handoff(l.seen(1), 'a', 'n'), wins: [] },
  { name: 'retarget', attempt: (l) => l.store.retarget(l.seen(2), 'a', 'b', 'n'), wins: ['handing'] },
  { name: 'retarget from another target', attempt: (l) => l.store.retarget(l.seen(2), 'a', 'x', 'n'), wins: [] },
  { name: 'retarget of another old owner', attempt: (l) => l.store.retarget(l.seen(2), 'x', 'b', 'n'), wins: [] },
  { name: 'retarget with an older counter', attempt: (l) => l.store.retarget(l.seen(1), 'a', 'b', 'n'), wins: [] },
  { name: 'force', attempt: (l) => l.store.force(l.seen(2), 'a'), wins: ['handing'] },
  { name: 'force of another old owner', attempt: (l) => l.store.force(l.seen(2), 'x'), wins: [] },
  { name: 'release', attempt: (l) => l.store.release(l.owned('a', 2)), wins: ['handing'] },
  { name: 'release by the new owner', attempt: (l) => l.store.release(l.owned('b', 2)), wins: [] },
  { name: 'free', attempt: (l) => l.store.free(l.owned('a', 2)), wins: ['held'] },
  { name: 'free by another', attempt: (l) => l.store.free(l.owned('x', 2)), wins: [] },
  { name: 'free by the new owner', attempt: (l) => l.store.free(l.owned('b', 2)), wins: [] },
  { name: 'free with an older counter', attempt: (l) => l.store.free(l.owned('a', 1)), wins: [] },
  {
    name: 'checkpoint',
    attempt: (l) => l.store.checkpoint(l.owned('a', 2), checkpointAfter(60), 6),
    wins: ['held', 'handing'],
  },
  {
    name: 'checkpoint by the new owner',
    attempt: (l) => l.store.checkpoint(l.owned('b', 2), checkpointAfter(60), 6),
    wins: [],
  },
  {
    name: 'checkpoint in another generation',
    attempt: (l) => l.store.checkpoint(l.owned('a', 1), checkpointAfter(60), 6),
    wins: [],
  },
  {
    name: 'checkpoint of an older version',
    attempt: (l) => l.store.checkpoint(l.owned('a', 2), checkpointAfter(40), 4),
    wins: [],
  },
  {
    name: 'prepare',
    attempt: (l) => l.store.prepare(l.owned('a', 2), checkpointAfter(60, 3).position, 6),
    wins: ['held', 'handing'],
  },
  { name: 'prepare by the new owner', attempt: (l) => l.store.prepare(l.owned('b', 2), at60, 6), wins: [] },
  { name: 'prepare in another generation', attempt: (l) => l.store.prepare(l.owned('a', 1), at60, 6), wins: [] },
  { name: 'prepare of an older version', attempt: (l) => l.store.prepare(l.owned('a', 2), at60, 4), wins: [] },
  {
    name: 'reset',
    attempt: (l) => l.store.reset(l.seen(2), { kind: 'TRIM_HORIZON' }),
    wins: ['free', 'held', 'handing', 'finished'],
  },
  { name: 'reset with an older counter', attempt: (l) => l.store.reset(l.seen(1), checkpointAfter(3)), wins: [] },
  { name: 'remove', attempt: (l) => l.store.remove(l.seen(2)), wins: ['free', 'held', 'handing', 'finished'] },
  { name: 'remove with an older counter', attempt: (l) => l.store.remove(l.seen(1)), wins: [] },
  { name: 'lift', attempt: (l) => l.store.lift(l.owned('a', 2), 9), wins: ['held', 'handing'] },
  { name: 'lift by the new owner', attempt: (l) => l.store.lift(l.owned('b', 2), 9), wins: [] },
  { name: 'lift in another generation', attempt: (l) => l.store.lift(l.owned('a', 1), 9), wins: [] },
  { name: 'discard', attempt: (l) => l.store.discard(l.owned('a', 2)), wins: ['held', 'handing'] },
  { name: 'discard by the new owner', attempt: (l) => l.store.discard(l.owned('b', 2)), wins: [] },
  { name: 'discard in another generation', attempt: (l) => l.store.discard(l.owned('a', 1)), wins: [] },
  { name: 'shard end', attempt: (l) => l.store.shardEnd(l.owned('a', 2), 7), wins: ['held', 'handing'] },
  { name: 'shard end by the new owner', attempt: (l) => l.store.shardEnd(l.owned('b', 2), 7), wins: [] },
  { name: 'shard end in another generation', attempt: (l) => l.store.shardEnd(l.owned('a', 1), 7), wins: [] },
  { name: 'shard end of an older version', attempt: (l) => l.store.shardEnd(l.owned('a', 2), 4), wins: [] },
  { name: 'bind', attempt: (l) => l.store.bind(l.owned('a', 2), 'ledger', 'TRIM_HORIZON'), wins: ['held', 'handing'] },
  { name: 'bind by the new owner', attempt: (l) => l.store.bind(l.owned('b', 2), 'ledger', '0'), wins: [] },
  { name: 'bind in another generation', attempt: (l) => l.store.bind(l.owned('a', 1), 'ledger', '0'), wins: [] },
  {
    name: 'adding children',
    attempt: (l) => l.store.addChildren(l.key, ['shardId-7']),
    wins: ['free', 'held', 'handing', 'taken', 'finished'],
  },
];

/**
 * Where a write is taken for the repeat of one whose answer was lost: the row cannot tell who ended generation 2 in
 * this way, and a caller only writes upon a generation in which it saw itself (or `old`) in that place.
 */
const LOOKS_DONE: Readonly<Record<string, readonly Situation[]>> = {
  force: ['taken'],
  'force of another old owner': ['taken'],
  release: ['taken'],
  'release by the new owner': ['taken'],
  free: ['free'],
  'free by another': ['free'],
  'free by the new owner': ['free'],
  remove: ['missing'],
  'remove with an older counter': ['missing'],
  discard: ['missing'],
  'discard by the new owner': ['missing'],
  'discard in another generation': ['missing'],
};

/** @param open gives a store over an empty table. */
export function leaseStoreConditions(open: () => LeaseStore): void {
  let store: LeaseStore;
  beforeEach(() => {
    store = open();
  });

  describe.each(WRITES)('$name', (write) => {
    it.each(SITUATIONS)(
      `is ${write.wins.length === 0 ? 'refused' : 'won or refused as told'} when the lease is %s`,
      async (situation) => {
        const life = new LeaseLife(store, newKey());
        await bring(life, situation);
        const before = await store.read(life.key);

        const outcome = await write.attempt(life);

        const now = await store.read(life.key);
        expect(outcome.lease).toEqual(now);
        if (write.wins.includes(situation)) {
          expect(outcome.won).toBe(true);
          expect(now).not.toEqual(before);
        } else {
          expect(outcome.won).toBe(LOOKS_DONE[write.name]?.includes(situation) ?? false);
          expect(now).toEqual(before);
        }
      },
    );
  });
}
