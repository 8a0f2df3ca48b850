import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../lease/lease.ts';
import { findDefects, type Mending, mend } from '../../../ledger/mending.ts';
import { emptyReferenceSlot } from '../../../ledger/reference.ts';
import { tokenOf } from '../../support/ledger-builder.ts';
import { at, KEY, ShardWorld } from '../worker/shard/shard-world.ts';

/** A shard whose records 1 to 6 are counted and checkpointed; then Redis loses slot 1 wholly and the shard halts. */
async function lostSlot() {
  const world = new ShardWorld();
  world.shard.put(1, 2, 3, 2, 5, 4);
  const owner = world.start();
  await world.clock.advanceUntil(() => world.isDone(), 60_000);
  world.state.slots[1] = emptyReferenceSlot();
  world.state.connection += 1;
  await world.clock.advanceUntil(() => owner.consumer.state === 'Halted', 60_000);
  const mendAll = async (mending: Mending): Promise<void> => {
    for (const defect of await findDefects(world.ledger, world.spec, [world.lease])) {
      expect(await mend(world.ledger, world.lease, defect, mending, tokenOf(99))).toBe(true);
    }
  };
  return { world, owner, mendAll };
}

describe('a ledger that lost a slot', () => {
  it('is found missing where it is bound, and not where the lease never had rows', async () => {
    const { world, owner } = await lostSlot();
    const other: Lease = { ...world.lease, key: 'a:b:1:shardId-000000000009' };
    const { ledgerId: _, ...unbound } = other;
    const defects = await findDefects(world.ledger, world.spec, [world.lease, unbound]);
    expect(defects).toEqual([{ leaseKey: KEY, slot: 1, kind: 'missing', row: undefined, checkpoint: at(6) }]);
    await owner.kill();
  });

  it('is counted again from the beginning of the ledger by rewind, and the halted shard goes on by itself', async () => {
    const { world, owner, mendAll } = await lostSlot();
    await mendAll('rewind');
    world.shard.put(7, 2);
    await world.clock.advanceUntil(() => world.isDone() && !owner.consumer.isHealing, 60_000);
    await world.assertExact();
    await owner.kill();
  });

  it('goes on from the checkpoint by continue: what was lost stays lost, and its identities count as new', async () => {
    const { world, owner, mendAll } = await lostSlot();
    await mendAll('continue');
    world.shard.put(1, 7);
    await world.clock.advanceUntil(() => world.isDone(), 60_000);
    expect(world.state.slots[1]!.counters.get('f')).toBe(2);
    expect(owner.counts.healed).toBe(0);
    await owner.kill();
  });

  it('is left alone where its owner was faster, and a repeat changes nothing', async () => {
    const { world, owner, mendAll } = await lostSlot();
    await mendAll('rewind');
    await world.clock.advanceUntil(() => owner.consumer.state === 'Reading' && !owner.consumer.isHealing, 60_000);
    const before = structuredClone(world.state.slots);
    const late = { leaseKey: KEY, slot: 1, kind: 'missing', row: undefined, checkpoint: at(6) } as const;
    await owner.kill();
    expect(await mend(world.ledger, world.lease, late, 'continue', tokenOf(98))).toBe(true);
    expect(world.state.slots[1]!.rows.get(KEY)).toMatchObject({ position: at(6) });
    expect(world.state.slots[1]!.counters).toEqual(before[1]!.counters);
  });
});
