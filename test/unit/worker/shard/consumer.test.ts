import { describe, expect, it } from 'vitest';
import { END } from '../../../../lease/position.ts';
import { testLeaseKey } from '../../../support/lease-builder.ts';
import { CHECKPOINT_MS, KEY, SETTLE_MS, ShardWorld } from './shard-world.ts';

const RECORDS = [1, 2, 3, 2, 'x', 4, 5, 1, 6, 'x', 7, 7, 8] as const;

const CHILD = {
  shardId: 'shardId-000000000001',
  parentShards: ['shardId-000000000000'],
  startingHashKey: '0',
  endingHashKey: '9',
};

async function untilDone(world: ShardWorld): Promise<void> {
  await world.clock.advanceUntil(() => world.isDone(), 60_000);
}

describe('a shard consumer', () => {
  it('counts every record once and checkpoints the last one when it is settled', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    const process = world.start();

    await untilDone(world);

    await world.assertExact();
    expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(SETTLE_MS);
    expect(world.lease.ledgerId).toBe(world.spec.name);
    expect(world.lease.ledgerStart).toBe('TRIM_HORIZON');
    expect(process.counts).toMatchObject({ records: 13, fresh: 8, duplicate: 3, replayed: 0 });
    await process.kill();
  });

  it('writes no checkpoint before the ledger writes below it are settled', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    const process = world.start();

    await world.clock.advance(SETTLE_MS - CHECKPOINT_MS);

    expect(world.lease.checkpoint.kind).toBe('TRIM_HORIZON');
    expect(world.store.faults.calls).not.toContain('checkpoint');
    expect(world.store.faults.calls).not.toContain('bind');
    await process.kill();
  });

  it('writes no checkpoint while its shard is idle', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    const process = world.start();
    await untilDone(world);
    const before = world.store.faults.calls.length;

    await world.clock.advance(60_000);

    expect(world.store.faults.calls.length).toBe(before);
    await process.kill();
  });

  it('opens again and counts exactly after Redis lost a tail younger than settle', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    const process = world.start();
    await world.clock.advance(5);
    const kept = world.snapshot();
    await world.clock.advance(1_000);
    kept.lose();

    await untilDone(world);

    await world.assertExact();
    expect(process.counts.reopenings).toBeGreaterThan(0);
    expect(world.deadLetters.length).toBeGreaterThan(0);
    await process.kill();
  });

  it('halts visibly, and reads nothing, when a slot has no row of a lease that is bound, until there is one', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    const kept = world.snapshot();
    const first = world.start();
    await untilDone(world);
    const full = world.snapshot();
    kept.lose();
    await world.clock.advance(5_000);

    expect(first.consumer.state).toBe('Halted');
    expect(first.consumer.condition).toBe('LedgerSlotLost');
    expect((await world.ledger.totals()).size).toBe(0);
    full.lose();
    await world.clock.advance(11_000);
    expect(first.consumer.state).toBe('Reading');
    await world.assertExact();
    await first.kill();
  });

  it('halts when the lease is bound to a ledger of other settings', async () => {
    const world = new ShardWorld();
    world.store.put({ ...world.lease, ledgerId: 'fleet.other' });

    const process = world.start();
    await world.clock.advance(10);

    expect(process.consumer.condition).toBe('LedgerOfOtherSettings');
    await process.kill();
  });

  it('goes on from a checkpoint that a lost answer hid, and never writes one below it', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    world.store.faults.fail('checkpoint', 'after', 3);
    const process = world.start();

    await untilDone(world);

    await world.assertExact();
    await process.kill();
  });

  it('stops at once, and writes nothing more, when a later generation opened its slots', async () => {
    const world = new ShardWorld();
    world.shard.put(1, 2, 3);
    const zombie = world.start();
    await world.clock.advance(50);
    const heir = world.start();
    await world.clock.advance(5);
    world.shard.put(4, 5);

    expect(await world.clock.runUntil(zombie.ended)).toBe('Aborted');
    await untilDone(world);

    await world.assertExact();
    expect([...zombie.counts.leasesLost.keys()]).toEqual(['fenced']);
    await heir.kill();
  });
});

describe('a shard consumer that is asked to leave', () => {
  it('checkpoints what is settled, without waiting for the rest, and releases', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    const process = world.start();
    await untilDone(world);
    const settled = world.checkpoint;
    world.shard.put(20, 21);
    await world.clock.advance(300);
    const { generation, owner } = world.lease;
    await world.store.handoff({ key: KEY, generation }, owner!, 'worker-new');
    const askedMs = world.clock.monotonicMs();

    process.consumer.leave('handoff');
    expect(await world.clock.runUntil(process.ended)).toBe('Released');

    expect(world.clock.monotonicMs() - askedMs).toBeLessThan(100);
    expect(world.lease).toMatchObject({ owner: 'worker-new', generation: generation + 1 });
    expect(world.lease.checkpointOwner).toBeUndefined();
    expect(world.checkpoint).toBe(settled);
    const heir = world.startAgain('worker-new');
    await untilDone(world);
    await world.assertExact();
    expect(heir.counts.replayed).toBe(2);
    await heir.kill();
  });

  it('frees the lease when nobody took it over, and releases it when a handoff came in between', async () => {
    const world = new ShardWorld();
    const free = world.start();
    await world.clock.advance(10);
    free.consumer.leave('shutdown');
    await world.clock.runUntil(free.ended);
    expect(world.lease.owner).toBeUndefined();

    const handed = world.start();
    await world.clock.advance(10);
    const { generation, owner } = world.lease;
    await world.store.handoff({ key: KEY, generation }, owner!, 'worker-new');
    handed.consumer.leave('shutdown');
    await world.clock.runUntil(handed.ended);

    expect(world.lease).toMatchObject({ owner: 'worker-new', generation: generation + 1 });
  });

  it('ends aborted, with nothing written, when the handoff was forced meanwhile', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    const process = world.start({ checkpointMs: 600_000 });
    await world.clock.advance(3 * SETTLE_MS);
    const { generation, owner } = world.lease;
    await world.store.handoff({ key: KEY, generation }, owner!, 'worker-new');
    await world.store.force({ key: KEY, generation }, owner!);

    process.consumer.leave('handoff');

    expect(await world.clock.runUntil(process.ended)).toBe('Aborted');
    expect(world.lease.checkpoint.kind).toBe('TRIM_HORIZON');
  });
});

describe('the end of a shard', () => {
  it("moves every row to END, sees the children's rows, then writes SHARD_END", async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    world.endShard([CHILD]);

    const process = world.start();
    expect(await world.clock.runUntil(process.ended)).toBe('Released');

    await world.assertExact();
    expect(world.lease.checkpoint.kind).toBe('SHARD_END');
    expect(world.rowPositions()).toEqual([END, END]);
    expect(world.rows.get(testLeaseKey(CHILD.shardId))).toMatchObject({
      checkpoint: { kind: 'TRIM_HORIZON' },
      parents: CHILD.parentShards,
      startingHashKey: '0',
      endingHashKey: '9',
    });
    const { calls } = world.store.faults;
    expect(calls.indexOf('create')).toBeLessThan(calls.indexOf('shardEnd'));
  });

  it('leaves the end to the next owner when it is asked to leave on the way', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    world.endShard([CHILD]);
    const process = world.start();
    await world.clock.advanceUntil(() => process.consumer.state === 'Ending');
    const { generation, owner } = world.lease;
    await world.store.handoff({ key: KEY, generation }, owner!, 'worker-new');

    process.consumer.leave('handoff');
    expect(await world.clock.runUntil(process.ended)).toBe('Released');
    const heir = world.startAgain('worker-new');
    expect(await world.clock.runUntil(heir.ended)).toBe('Released');

    expect(world.lease.checkpoint.kind).toBe('SHARD_END');
    await world.assertExact();
  });
});
