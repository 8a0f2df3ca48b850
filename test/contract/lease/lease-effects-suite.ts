/**
 * What every LeaseStore leaves behind: the effect of each write, the repeat of each write after a lost answer, races
 * upon one row, and reading many rows.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LeaseStore } from '../../../lease/lease-store.ts';
import { positionOf } from '../../../lease/position.ts';
import { bring, checkpointAfter, LeaseLife, newKey, type Situation, won } from './lease-store-suite.ts';

export interface LeaseStoreSize {
  /** Writes thrown at one row at once. */
  readonly racingWrites: number;
  /** Rows that a full read must find; more than one page where the store has pages. */
  readonly rows: number;
}

/** @param open gives a store over an empty table. */
export function leaseStoreEffects(open: () => LeaseStore, size: LeaseStoreSize): void {
  let store: LeaseStore;
  beforeEach(() => {
    store = open();
  });
  const lifeIn = async (situation: Situation): Promise<LeaseLife> => {
    const life = new LeaseLife(store, newKey());
    await bring(life, situation);
    return life;
  };

  describe('the effect of a write', () => {
    it('is a free lease in generation 0 with lineage and hash range for create', async () => {
      const life = await lifeIn('missing');
      const given = {
        key: life.key,
        checkpoint: { kind: 'AT_TIMESTAMP', timestampMs: 1_790_000_123_456 } as const,
        parents: ['shardId-2', 'shardId-1'],
        startingHashKey: '0',
        endingHashKey: '340282366920938463463374607431768211455',
      };

      const lease = await won(store.create(given));

      expect(lease).toMatchObject({
        ...given,
        parents: ['shardId-1', 'shardId-2'],
        generation: 0,
        checkpointVersion: 0,
      });
      expect(lease).not.toHaveProperty('owner');
      expect(await life.row()).toEqual(lease);
    });

    it('is the row that was there, untouched, for a second create', async () => {
      const life = await lifeIn('held');

      const outcome = await store.create({ key: life.key, checkpoint: { kind: 'LATEST' }, parents: ['p'] });

      expect(outcome).toEqual({ won: false, lease: await life.row() });
      expect(await life.row()).toMatchObject({ owner: 'a', checkpoint: checkpointAfter(50) });
    });

    it('is the next generation for assign, take, release and force, and the same one for handoff, retarget and free', async () => {
      const life = await lifeIn('free');

      expect(await won(store.assign(life.seen(2), 'a'))).toMatchObject({ owner: 'a', generation: 3 });
      const taken = await won(store.take(life.seen(3), 'a', 'b'));
      expect(taken).toMatchObject({ owner: 'b', generation: 4, ownerSwitchesSinceCheckpoint: 1 });
      const handing = await won(store.handoff(life.seen(4), 'b', 'c'));
      expect(handing).toMatchObject({ owner: 'c', checkpointOwner: 'b', generation: 4 });
      const moved = await won(store.retarget(life.seen(4), 'b', 'c', 'd'));
      expect(moved).toMatchObject({ owner: 'd', checkpointOwner: 'b', generation: 4 });
      const released = await won(store.release(life.owned('b', 4)));
      expect(released).toMatchObject({ owner: 'd', generation: 5 });
      expect(released).not.toHaveProperty('checkpointOwner');
      await won(store.handoff(life.seen(5), 'd', 'e'));
      const forced = await won(store.force(life.seen(5), 'd'));
      expect(forced).toMatchObject({ owner: 'e', generation: 6 });
      expect(forced).not.toHaveProperty('checkpointOwner');
      const freed = await won(store.free(life.owned('e', 6)));
      expect(freed.generation).toBe(6);
      expect(freed).not.toHaveProperty('owner');
    });

    it('is position, version and no owner switches for a checkpoint, sub-sequence number included', async () => {
      const life = await lifeIn('taken');
      const largest = positionOf('49671246667567228643283430150187087032206582658790195202', 4_711);

      const lease = await won(store.checkpoint(life.owned('c', 3), { kind: 'AFTER', position: largest }, 9));

      expect(lease).toMatchObject({
        checkpoint: { kind: 'AFTER', position: largest },
        checkpointVersion: 9,
        ownerSwitchesSinceCheckpoint: 0,
        generation: 3,
      });
    });

    it.each(['held', 'handing'] as const)(
      'is a finished lease without owners for the shard end of one that is %s',
      async (situation) => {
        const life = await lifeIn(situation);

        const lease = await won(store.shardEnd(life.owned('a', 2), 8));

        expect(lease).toMatchObject({ checkpoint: { kind: 'SHARD_END' }, checkpointVersion: 8, generation: 2 });
        expect(lease).not.toHaveProperty('owner');
        expect(lease).not.toHaveProperty('checkpointOwner');
      },
    );

    it('is the ledger that was bound, and children added once each', async () => {
      const life = await lifeIn('held');

      await won(store.bind(life.owned('a', 2), 'logins-1', 'AT_TIMESTAMP 7'));
      await won(store.addChildren(life.key, ['s2', 's1']));
      await won(store.addChildren(life.key, []));
      const lease = await won(store.addChildren(life.key, ['s2']));

      expect(lease).toMatchObject({ ledgerId: 'logins-1', ledgerStart: 'AT_TIMESTAMP 7', children: ['s1', 's2'] });
    });

    it('is a prepared range that every checkpoint and shard end clears, and that a new owner finds', async () => {
      const life = await lifeIn('held');

      const prepared = await won(store.prepare(life.owned('a', 2), positionOf('70', 4), 6));
      const taken = await won(store.take(life.seen(2), 'a', 'b'));
      const checkpointed = await won(store.checkpoint(life.owned('b', 3), checkpointAfter(70, 4), 7));
      await won(store.prepare(life.owned('b', 3), positionOf('90'), 8));
      const ended = await won(store.shardEnd(life.owned('b', 3), 9));

      expect(prepared).toMatchObject({
        pending: positionOf('70', 4),
        checkpoint: checkpointAfter(50),
        checkpointVersion: 6,
      });
      expect(taken.pending).toBe(positionOf('70', 4));
      expect(checkpointed).not.toHaveProperty('pending');
      expect(ended).not.toHaveProperty('pending');
    });

    it.each([
      checkpointAfter(12, 3),
      { kind: 'TRIM_HORIZON' },
      { kind: 'AT_TIMESTAMP', timestampMs: 1_790_000_123_456 },
    ] as const)(
      'is a free lease at $kind with that as its reset floor for a reset in a handoff',
      async (checkpoint) => {
        const life = await lifeIn('handing');
        await won(store.prepare(life.owned('a', 2), positionOf('70'), 6));

        const lease = await won(store.reset(life.seen(2), checkpoint));

        expect(lease).toMatchObject({ checkpoint, resetFloor: checkpoint, generation: 3, checkpointVersion: 6 });
        for (const name of ['owner', 'checkpointOwner', 'pending']) expect(lease).not.toHaveProperty(name);
        expect((await store.checkpoint(life.owned('a', 2), checkpointAfter(80), 9)).won).toBe(false);
      },
    );

    it('is a generation above the one told for lift, in which the owner goes on alone', async () => {
      const life = await lifeIn('held');

      const lease = await won(store.lift(life.owned('a', 2), 7));

      expect(lease).toMatchObject({ owner: 'a', generation: 8 });
      expect((await store.checkpoint(life.owned('a', 2), checkpointAfter(80), 9)).won).toBe(false);
      await won(store.checkpoint(life.owned('a', 8), checkpointAfter(80), 9));
    });

    it('is what the sinks had, and in which generation, for a release that tells it', async () => {
      const life = await lifeIn('handing');

      const lease = await won(store.release(life.owned('a', 2), positionOf('77', 1)));

      expect(lease).toMatchObject({ generation: 3, deliveredTo: { position: positionOf('77', 1), generation: 2 } });
      expect(await life.row()).toEqual(lease);
    });

    it('is no row at all for remove and discard, and every later write upon it is refused', async () => {
      const removed = await lifeIn('finished');
      const discarded = await lifeIn('handing');

      expect(await store.remove(removed.seen(2))).toEqual({ won: true, lease: undefined });
      expect(await store.discard(discarded.owned('a', 2))).toEqual({ won: true, lease: undefined });

      expect(await store.release(discarded.owned('a', 2))).toEqual({ won: false, lease: undefined });
      expect(await store.checkpoint(discarded.owned('a', 2), checkpointAfter(99), 9)).toEqual({
        won: false,
        lease: undefined,
      });
    });

    it('is refused as a shard end when a checkpoint pretends to be one', async () => {
      const life = await lifeIn('held');

      await expect(store.checkpoint(life.owned('a', 2), { kind: 'SHARD_END' }, 9)).rejects.toThrow('shardEnd');

      expect((await life.row()).checkpoint).toEqual(checkpointAfter(50));
    });
  });

  describe('races upon one row', () => {
    it('end with the newest of many concurrent checkpoints, whatever handoffs go on between them', async () => {
      const life = await lifeIn('held');
      const versions = shuffled(Array.from({ length: size.racingWrites }, (_, i) => i + 6));

      const outcomes = await Promise.all(
        versions.flatMap((version) => [
          store.checkpoint(life.owned('a', 2), checkpointAfter(1_000 + version), version),
          store.handoff(life.seen(2), 'a', version % 2 === 0 ? 'b' : 'c'),
        ]),
      );

      const newest = size.racingWrites + 5;
      const row = await life.row();
      expect(row).toMatchObject({
        checkpoint: checkpointAfter(1_000 + newest),
        checkpointVersion: newest,
        generation: 2,
      });
      expect(row.checkpointOwner).toBe('a');
      expect(outcomes.every((outcome) => outcome.lease !== undefined)).toBe(true);
    });

    it('give a free lease to exactly one of many', async () => {
      const life = await lifeIn('free');
      const workers = Array.from({ length: 20 }, (_, i) => `w${i}`);

      const outcomes = await Promise.all(workers.map((worker) => store.assign(life.seen(2), worker)));

      const winners = workers.filter((_, i) => outcomes[i]?.won);
      expect(winners).toHaveLength(1);
      expect(await life.row()).toMatchObject({ owner: winners[0], generation: 3 });
    });
  });

  describe('reading', () => {
    it('finds nothing where there is nothing', async () => {
      expect(await store.read(newKey())).toBeUndefined();
    });

    it('finds every row of a table with many', async () => {
      const keys = Array.from({ length: size.rows }, newKey);
      await Promise.all(keys.map((key) => store.create({ key, checkpoint: { kind: 'LATEST' }, parents: [] })));

      const found = new Set((await store.readAll()).map((lease) => lease.key));

      expect(keys.filter((key) => !found.has(key))).toEqual([]);
    });
  });
}

/** A fixed disorder: the same in every run. */
function shuffled(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => ((a * 7_919) % 1_009) - ((b * 7_919) % 1_009));
}
