import { describe, expect, it } from 'vitest';
import { seededRandom, seedOfThisRun } from '../../../support/seeded-random.ts';
import { ShardWorld } from './shard-world.ts';

const RECORDS = [1, 2, 3, 2, 'x', 4, 5, 1, 6, 'x', 7, 7] as const;
const CHILD = {
  shardId: 'shardId-000000000001',
  parentShards: ['shardId-000000000000'],
  startingHashKey: '0',
  endingHashKey: '9',
};

/** Calls that a life from opening to shard end makes of the outside. */
async function callsOfOneLife(): Promise<number> {
  const world = endingWorld();
  const process = world.start();
  await world.clock.runUntil(process.ended);
  return process.gate.calls;
}

function endingWorld(): ShardWorld {
  const world = new ShardWorld();
  world.shard.put(...RECORDS);
  world.endShard([CHILD]);
  return world;
}

describe('a shard whose owner dies', () => {
  it.each(['before', 'after'] as const)(
    'is counted exactly wherever it dies, %s the effect of a call',
    async (side) => {
      const calls = await callsOfOneLife();
      expect(calls).toBeGreaterThan(12);
      for (let call = 1; call <= calls; call++) {
        const world = endingWorld();
        const victim = world.start({}, { call, side });
        await world.clock.advanceUntil(() => victim.gate.isDead);
        await world.assertSafe();
        await victim.kill();
        if (world.lease.checkpoint.kind === 'SHARD_END') continue;

        const heir = world.start();
        expect(await world.clock.runUntil(heir.ended), `died at call ${call}`).toBe('Released');

        await world.assertExact();
        expect(world.lease.checkpoint.kind).toBe('SHARD_END');
      }
    },
  );

  it('is counted exactly under seeded deaths, lost tails and lost answers', async () => {
    const seed = seedOfThisRun();
    process.stdout.write(`seed ${seed}\n`);
    for (let round = 0; round < Number(process.env.CRASH_ROUNDS ?? 8); round++) await liveThroughFaults(seed + round);
  });
});

async function liveThroughFaults(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const world = new ShardWorld(1 + random.int(3));
  world.store.faults.onCall = () => (random.chance(0.1) ? random.pick(['before', 'after'] as const) : undefined);
  let owner = world.start();
  for (let turn = 0; turn < 25; turn++) {
    for (let n = random.int(8); n > 0; n--) world.shard.put(random.chance(0.1) ? 'x' : random.int(40));
    const tail = world.snapshot();
    await world.clock.advance(1 + random.int(1_500));
    if (random.chance(0.2)) tail.lose();
    if (random.chance(0.3)) {
      if (random.chance(0.5)) await owner.kill();
      owner = world.start();
    }
    await world.assertSafe();
  }
  await world.clock.advanceUntil(() => world.isDone(), 120_000);
  expect(owner.consumer.state, `seed ${seed}`).toBe('Reading');
  await world.assertExact();
  for (const each of world.processes) await each.kill();
}
