/** A lease row that was deleted by hand and created again: its counter begins anew, the ledger's rows do not. */
import { describe, expect, it } from 'vitest';
import { buildLease } from '../../../support/lease-builder.ts';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { at, KEY, SETTLE_MS, ShardWorld } from './shard-world.ts';

const RECORDS = [1, 2, 3, 2, 'x', 4, 5] as const;

/** A world whose third owner had everything when its row was deleted and created again for `worker-new`. */
async function recreated(sink: RecordingSink) {
  const world = new ShardWorld();
  world.shard.put(...RECORDS);
  for (let owner = 1; owner <= 2; owner++) await world.start().kill();
  const old = world.start({ streamingSinks: [sink] });
  await world.clock.advanceUntil(() => world.isDone(), 60_000);
  // The rows hear of the last checkpoint with the next advance.
  await world.clock.advance(3 * SETTLE_MS);
  world.store.put(buildLease({ key: KEY, owner: 'worker-new', generation: 1 }));
  return { world, old };
}

describe('a lease row that was deleted and created again', () => {
  it('gets a generation above those that the ledger saw, and its owner goes on there, counting nothing twice', async () => {
    const sink = new RecordingSink();
    const { world, old } = await recreated(sink);
    const first = world.startAgain('worker-new');
    expect(await world.clock.runUntil(first.ended)).toBe('Aborted');
    expect(world.lease).toMatchObject({ owner: 'worker-new', generation: 4 });
    world.shard.put(6, 1);
    const second = world.startAgain('worker-new');
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    await world.assertExact();
    expect([...old.counts.leasesLost.keys()]).toEqual(['fenced']);
    await second.kill();
  });

  it('begins at the floor that the ledger knows, not at the beginning', async () => {
    const sink = new RecordingSink();
    const { world } = await recreated(sink);
    await world.clock.runUntil(world.startAgain('worker-new').ended);
    const heir = world.startAgain('worker-new', { streamingSinks: [sink] });
    world.shard.put(6);
    await world.clock.advanceUntil(() => world.checkpoint === at(8), 60_000);

    expect(new Set(sink.delivered).size).toBe(sink.delivered.length);
    await world.assertExact();
    await heir.kill();
  });

  it('is not lifted by an owner that was really fenced: a later one has the row', async () => {
    const world = new ShardWorld();
    world.shard.put(1);
    const zombie = world.start({}, undefined);
    await world.clock.advance(50);
    const heir = world.start();
    await world.clock.advance(50);
    const { generation } = world.lease;
    await zombie.kill();
    const late = world.startAgain('worker-1');

    expect(await world.clock.runUntil(late.ended)).toBe('Aborted');
    expect(world.lease).toMatchObject({ owner: 'worker-2', generation });
    await heir.kill();
  });
});
