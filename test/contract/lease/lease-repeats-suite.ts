/**
 * Each write of a LeaseStore repeated, as a caller does whose answer was lost: won again and nothing changed twice, or
 * lost when somebody else was quicker.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LeaseStore } from '../../../lease/lease-store.ts';
import { positionOf } from '../../../lease/position.ts';
import { bring, checkpointAfter, LeaseLife, newKey, type Situation, won } from './lease-store-suite.ts';

/** @param open gives a store over an empty table. */
export function leaseStoreRepeats(open: () => LeaseStore): void {
  let store: LeaseStore;
  beforeEach(() => {
    store = open();
  });
  const lifeIn = async (situation: Situation): Promise<LeaseLife> => {
    const life = new LeaseLife(store, newKey());
    await bring(life, situation);
    return life;
  };

  describe('a write repeated after its answer was lost', () => {
    it.each([
      ['assign', 'free', (l: LeaseLife) => l.store.assign(l.seen(2), 'n')],
      ['take', 'held', (l: LeaseLife) => l.store.take(l.seen(2), 'a', 'n')],
      ['handoff', 'held', (l: LeaseLife) => l.store.handoff(l.seen(2), 'a', 'n')],
      ['retarget', 'handing', (l: LeaseLife) => l.store.retarget(l.seen(2), 'a', 'b', 'n')],
      ['release', 'handing', (l: LeaseLife) => l.store.release(l.owned('a', 2))],
      ['force', 'handing', (l: LeaseLife) => l.store.force(l.seen(2), 'a')],
      ['free', 'held', (l: LeaseLife) => l.store.free(l.owned('a', 2))],
      ['prepare', 'held', (l: LeaseLife) => l.store.prepare(l.owned('a', 2), positionOf('70'), 6)],
      ['lift', 'held', (l: LeaseLife) => l.store.lift(l.owned('a', 2), 9)],
      ['reset', 'handing', (l: LeaseLife) => l.store.reset(l.seen(2), checkpointAfter(3))],
      ['telling what was delivered', 'handing', (l: LeaseLife) => l.store.release(l.owned('a', 2), positionOf('9'))],
      ['checkpoint', 'held', (l: LeaseLife) => l.store.checkpoint(l.owned('a', 2), checkpointAfter(70), 6)],
      ['shard end', 'handing', (l: LeaseLife) => l.store.shardEnd(l.owned('a', 2), 6)],
      ['bind', 'handing', (l: LeaseLife) => l.store.bind(l.owned('a', 2), 'ledger', '0')],
      ['adding children', 'held', (l: LeaseLife) => l.store.addChildren(l.key, ['s'])],
    ] as const)('is won and changes nothing more: %s', async (_name, situation, write) => {
      const life = await lifeIn(situation);
      const first = await won(write(life));

      const second = await write(life);

      expect(second).toEqual({ won: true, lease: first });
      expect(await life.row()).toEqual(first);
    });

    it.each([
      ['assign', 'free', (l: LeaseLife, w: string) => l.store.assign(l.seen(2), w)],
      ['take', 'held', (l: LeaseLife, w: string) => l.store.take(l.seen(2), 'a', w)],
      ['handoff', 'held', (l: LeaseLife, w: string) => l.store.handoff(l.seen(2), 'a', w)],
      ['retarget', 'handing', (l: LeaseLife, w: string) => l.store.retarget(l.seen(2), 'a', 'b', w)],
    ] as const)('is lost when another was quicker with a different target: %s', async (_name, situation, write) => {
      const life = await lifeIn(situation);
      const first = await won(write(life, 'quick'));

      const second = await write(life, 'late');

      expect(second).toEqual({ won: false, lease: first });
    });

    it('is lost when a newer checkpoint was written meanwhile, which then stays', async () => {
      const life = await lifeIn('held');
      await won(store.checkpoint(life.owned('a', 2), checkpointAfter(70), 6));
      await won(store.checkpoint(life.owned('a', 2), checkpointAfter(80), 7));

      const late = await store.checkpoint(life.owned('a', 2), checkpointAfter(70), 6);

      expect(late.won).toBe(false);
      expect((await life.row()).checkpoint).toEqual(checkpointAfter(80));
    });

    it('is lost for a checkpoint of an owner whose handoff was forced', async () => {
      const life = await lifeIn('handing');
      await won(store.force(life.seen(2), 'a'));

      const late = await store.checkpoint(life.owned('a', 2), checkpointAfter(90), 9);

      expect(late).toEqual({ won: false, lease: await life.row() });
      expect((await life.row()).checkpoint).toEqual(checkpointAfter(50));
    });
  });

  describe('a reset repeated after its answer was lost', () => {
    it('is lost when the lease was given away and freed meanwhile, though an earlier reset went to the same place', async () => {
      const life = await lifeIn('held');
      await won(store.reset(life.seen(2), { kind: 'TRIM_HORIZON' }));
      await won(store.assign(life.seen(3), 'b'));
      await won(store.checkpoint(life.owned('b', 4), checkpointAfter(70), 6));
      await won(store.free(life.owned('b', 4)));

      const late = await store.reset(life.seen(3), { kind: 'TRIM_HORIZON' });

      expect(late.won).toBe(false);
      expect((await life.row()).checkpoint).toEqual(checkpointAfter(70));
    });
  });
}
