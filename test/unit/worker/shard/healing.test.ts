/** Redis lost a longer tail than settling allows for: rows lie behind the checkpoint, and what lies between is counted again where it is missing. */
import { describe, expect, it } from 'vitest';
import { healKeyOf } from '../../../../lease/heal-lease.ts';
import { END, START } from '../../../../lease/position.ts';
import { REWOUND } from '../../../../ledger/ledger.ts';
import type { ReferenceSlot } from '../../../../ledger/reference.ts';
import { buildLease } from '../../../support/lease-builder.ts';
import { seededRandom, seedOfThisRun } from '../../../support/seeded-random.ts';
import { at, KEY, ShardWorld } from './shard-world.ts';

const IDS = [1, 2, 3, 2, 'x', 4, 5, 1, 6, 'x', 7, 7] as const;
const CHILD = {
  shardId: 'shardId-000000000001',
  parentShards: ['shardId-000000000000'],
  startingHashKey: '0',
  endingHashKey: '9',
};

/** A world whose first records are counted and checkpointed, and what Redis had before the last of them. */
async function checkpointed() {
  const world = new ShardWorld();
  world.shard.put(...IDS.slice(0, 4));
  const owner = world.start();
  await world.clock.advanceUntil(() => world.isDone(), 60_000);
  const early = world.snapshot();
  const earlySlots = structuredClone(world.state.slots);
  world.shard.put(...IDS.slice(4));
  await world.clock.advanceUntil(() => world.isDone(), 60_000);
  return { world, owner, early, earlySlots };
}

describe('a tail longer than settling that Redis loses', () => {
  it('is read again and counted by the owner that notices it, with the checkpoint where it was', async () => {
    const { world, owner, early } = await checkpointed();
    const { checkpoint } = world;

    early.lose();
    await world.clock.advanceUntil(() => owner.consumer.isHealing, 60_000);
    expect(world.checkpoint).toBe(checkpoint);
    await world.clock.advanceUntil(() => !owner.consumer.isHealing, 60_000);

    await world.assertExact();
    expect(owner.counts).toMatchObject({ healed: 8 });
    expect(owner.consumer.state).toBe('Reading');
    await owner.kill();
  });

  it('is read again by the next owner when nobody held the shard', async () => {
    const { world, owner, early } = await checkpointed();
    await owner.kill();
    early.lose();

    const heir = world.start();
    await world.clock.advanceUntil(() => heir.counts.healed > 0, 60_000);
    await world.clock.advanceUntil(() => !heir.consumer.isHealing, 60_000);

    await world.assertExact();
    await heir.kill();
  });

  it('goes only into the slot that lacks it, where the others lost nothing', async () => {
    const { world, owner, earlySlots } = await checkpointed();
    await owner.kill();
    world.state.slots[1] = structuredClone(earlySlots[1]!);
    const before = world.state.slots[0]!.counters;
    const counted = structuredClone(before);

    const heir = world.start();
    await world.clock.advanceUntil(() => heir.counts.healed > 0, 60_000);
    await world.clock.advanceUntil(() => !heir.consumer.isHealing, 60_000);

    expect(world.state.slots[0]!.counters).toEqual(counted);
    await world.assertExact();
    await heir.kill();
  });

  it('is healed on, not from the beginning, by the owner after one that dies in the middle', async () => {
    const { world, owner, early } = await checkpointed();
    await owner.kill();
    early.lose();
    world.shard.batchRecords = 1;

    const first = world.start();
    await world.clock.advanceUntil(() => first.counts.healed >= 3, 60_000);
    await first.kill();
    await world.assertCounted();
    const second = world.start();
    await world.clock.advanceUntil(() => second.counts.healed > 0 && !second.consumer.isHealing, 60_000);

    expect(second.counts.healed).toBeLessThan(8);
    await world.assertExact();
    await second.kill();
  });

  it('halts the shard, and skips nothing, when it is not retained any more, until an operator rewinds', async () => {
    const { world, owner, early } = await checkpointed();
    await owner.kill();
    early.lose();
    world.shard.oldest = 7;

    const heir = world.start();
    await world.clock.advanceUntil(() => heir.consumer.state === 'Halted', 60_000);
    expect(heir.consumer.condition).toBe('LedgerTailNotRetained');
    await world.clock.advance(60_000);
    expect(world.rowPositions()).toEqual([at(4), at(4)]);

    for (const slot of world.state.slots) slot.rows.set(KEY, { ...slot.rows.get(KEY)!, token: REWOUND });
    world.shard.batchRecords = 2;
    await world.clock.advanceUntil(() => heir.counts.healed > 0, 60_000);
    // Retention goes on trimming meanwhile: what was read is not asked for again.
    world.shard.oldest = 12;
    await world.clock.advanceUntil(() => heir.counts.healed > 0 && !heir.consumer.isHealing, 60_000);

    expect(heir.consumer.state).toBe('Reading');
    // Records 5 and 6 are gone: one of them was without identity.
    const { x, ...truth } = world.shard.truth();
    expect(Object.fromEntries(await world.ledger.totals())).toMatchObject({ x: x! - 1, f: truth.f! - 1 });
    await heir.kill();
  });

  it('is read again where only the record that it begins after is not retained any more, as of an idle shard', async () => {
    const { world, owner, early } = await checkpointed();
    await owner.kill();
    early.lose();
    world.shard.oldest = 5;
    const arrivalMs = world.clock.wallMs();
    for (const { rows } of world.state.slots) rows.set(KEY, { ...rows.get(KEY)!, arrivalMs });
    world.shard.retainedFromMs = arrivalMs - 60_000;

    const heir = world.start();
    await world.clock.advanceUntil(() => heir.counts.healed > 0 && !heir.consumer.isHealing, 60_000);

    await world.assertExact();
    await heir.kill();
  });

  it('is counted exactly under seeded long tails, deaths and lost answers', async () => {
    const seed = seedOfThisRun();
    process.stdout.write(`seed ${seed}\n`);
    for (let round = 0; round < Number(process.env.CRASH_ROUNDS ?? 6); round++)
      await liveThroughLongTails(seed + round);
  });
});

async function liveThroughLongTails(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const world = new ShardWorld(1 + random.int(3));
  world.store.faults.onCall = () => (random.chance(0.1) ? random.pick(['before', 'after'] as const) : undefined);
  let owner = world.start();
  world.shard.put(1);
  await world.clock.advanceUntil(() => world.lease.ledgerId !== undefined, 60_000);
  const histories: ReferenceSlot[][] = [];
  world.keepSlots(histories);
  for (let turn = 0; turn < 25; turn++) {
    for (let n = random.int(8); n > 0; n--) world.shard.put(random.chance(0.1) ? 'x' : random.int(40));
    await world.clock.advance(1 + random.int(4_000));
    world.keepSlots(histories);
    if (random.chance(0.25)) world.loseTails(histories, (length) => length - 1 - random.int(Math.min(length, 6)));
    if (random.chance(0.3)) {
      if (random.chance(0.5)) await owner.kill();
      owner = world.start();
    }
    await world.assertCounted();
  }
  await world.clock.advanceUntil(
    () => world.isDone() && world.rowPositions().every((row) => row >= world.checkpoint),
    240_000,
  );
  expect(owner.consumer.state, `seed ${seed}`).toBe('Reading');
  await world.assertCounts();
  for (const each of world.processes) await each.kill();
}

describe('a finished shard whose rows fell behind its end', () => {
  async function finished() {
    const world = new ShardWorld();
    world.shard.put(...IDS.slice(0, 6));
    const owner = world.start();
    await world.clock.advanceUntil(() => world.isDone(), 60_000);
    const early = world.snapshot();
    world.shard.put(...IDS.slice(6));
    world.endShard([CHILD]);
    await world.clock.runUntil(owner.ended);
    early.lose();
    const key = healKeyOf(KEY);
    world.store.put(buildLease({ key, shardId: 'shardId-000000000000', generation: 1, owner: 'healer' }));
    return { world, key, heal: world.rows.get(key)! };
  }

  it('is healed under a lease of its own, and its SHARD_END and its children stay as they are', async () => {
    const { world, key, heal } = await finished();
    const rows = structuredClone([...world.rows].filter(([each]) => each !== key));

    const healer = world.startAgain('healer', {}, undefined, heal);
    expect(await world.clock.runUntil(healer.ended)).toBe('Released');

    await world.assertCounts();
    expect(world.rowPositions()).toEqual([END, END]);
    expect([...world.rows].filter(([each]) => each !== key)).toEqual(rows);
    expect(world.rows.get(key)).toMatchObject({ checkpoint: { kind: 'SHARD_END' } });
  });

  it('is ended by the next healer without reading when the one before had healed all and died', async () => {
    const { world, key, heal } = await finished();
    const healer = world.startAgain('healer', {}, undefined, heal);
    await world.clock.advanceUntil(() => world.rowPositions().every((row) => row === END), 60_000);
    await healer.kill();
    expect(world.rows.get(key)!.checkpoint.kind).not.toBe('SHARD_END');

    world.store.put({ ...heal, generation: 2, owner: 'other' });
    const next = world.startAgain('other', {}, undefined, world.rows.get(key)!);

    expect(await world.clock.runUntil(next.ended)).toBe('Released');
    expect(next.counts.records).toBe(0);
    await world.assertCounts();
  });

  it('fences the healer before it, and is fenced by an owner after a reset', async () => {
    const { world, heal } = await finished();
    world.shard.batchRecords = 1;
    const zombie = world.startAgain('healer', {}, undefined, heal);
    await world.clock.advanceUntil(() => zombie.counts.healed > 0, 60_000);
    const reset = { ...world.lease, generation: world.lease.generation + 1 };
    for (const slot of world.state.slots) {
      slot.rows.set(KEY, { ...slot.rows.get(KEY)!, generation: reset.generation });
    }

    expect(await world.clock.runUntil(zombie.ended)).toBe('Aborted');
    expect([...zombie.counts.leasesLost]).toEqual([['fenced', 1]]);
  });

  it('halts a heal of a shard that is not finished', async () => {
    const { world, heal } = await finished();
    world.store.put({ ...world.lease, checkpoint: { kind: 'AFTER', position: START } });
    const healer = world.startAgain('healer', {}, undefined, heal);
    await world.clock.advanceUntil(() => healer.consumer.state === 'Halted', 60_000);
    expect(healer.consumer.condition).toBe('HealedShardNotFinished');
    await healer.kill();
  });
});
