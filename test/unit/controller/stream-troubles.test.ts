/** What may happen to the stream and to its lease rows under a running controller. */
import { afterEach, describe, expect, it } from 'vitest';
import { positionOf } from '../../../lease/position.ts';
import { listedShard, type RunningController, settledWorld, World } from './controller-world.ts';

let world: World;
afterEach(() => world.end());

const HALF = 2n ** 127n;
const LOW = { startingHashKey: '0', endingHashKey: String(HALF - 1n) };
const HIGH = { startingHashKey: String(HALF), endingHashKey: String(2n ** 128n - 1n) };

async function metric({ registry }: RunningController, series: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find((one) => one.startsWith(`kinesis_fleet_${series} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('a stream that was deleted and created again', () => {
  it('is begun at its beginning where the settings say so, and the leases of the old one go', async () => {
    const settled = await settledWorld(2, ['w1'], { INITIAL_POSITION: 'LATEST', ON_STREAM_RECREATED: 'reset' });
    ({ world } = settled);
    const old = [...world.leaseRows.keys()];
    world.stream.creationEpochSeconds += 3_600;
    await world.clock.advance(35_000);

    expect([...world.leaseRows.keys()].toSorted()).toEqual(
      old.map((key) => key.replace(':1790000000:', ':1790003600:')),
    );
    for (const lease of world.leaseRows.values()) {
      expect(lease).toMatchObject({ checkpoint: { kind: 'TRIM_HORIZON' }, owner: 'w1', generation: 1 });
    }
    expect(settled.running.controller.conditions()).toEqual({});
    expect(await metric(settled.running, 'stream_resets_total')).toBe(1);
    expect(await metric(settled.running, 'leases_removed_total{reason="recreated"}')).toBe(2);
    expect(await metric(settled.running, 'leases_recreated_total')).toBe(0);
  });

  it('is begun by a new leader where the old one died between any two of its writes', async () => {
    const settled = await settledWorld(4, ['w1'], { INITIAL_POSITION: 'LATEST', ON_STREAM_RECREATED: 'reset' });
    ({ world } = settled);
    settled.running.leases.faults.fail('create', 'before', 3);
    settled.running.leases.faults.fail('remove', 'after', 2);
    world.stream.creationEpochSeconds += 3_600;
    await world.clock.advance(30_200);
    settled.running.stop.abort();
    world.startController({ INITIAL_POSITION: 'LATEST', ON_STREAM_RECREATED: 'reset' });
    await world.clock.advance(20_000);

    expect(world.counts()).toEqual({ w1: 4 });
    expect([...world.leaseRows.values()].every((lease) => lease.checkpoint.kind === 'TRIM_HORIZON')).toBe(true);
  });

  it('is never exchanged for an older one that a late answer shows', async () => {
    const settled = await settledWorld(1, ['w1'], { ON_STREAM_RECREATED: 'reset' });
    ({ world } = settled);
    const before = new Map(world.leaseRows);
    world.stream.creationEpochSeconds -= 3_600;
    await world.clock.advance(35_000);

    expect(world.leaseRows).toEqual(before);
    expect(settled.running.controller.conditions()).toHaveProperty('StreamRecreated');
  });
});

/** Two shards that share the hash range, both read by one worker. */
async function readWhole() {
  world = new World();
  world.stream.shards = [
    { ...listedShard('a'), ...LOW },
    { ...listedShard('b'), ...HIGH },
  ];
  const running = world.startController({ INITIAL_POSITION: 'TRIM_HORIZON' });
  world.startWorker('w1');
  await world.clock.advance(5_000);
  return running;
}

describe('a hole in the hash range', () => {
  it('shows in the gauge when an active row was removed, and is gone when the row is back', async () => {
    const running = await readWhole();
    expect(await metric(running, 'hash_range_hole')).toBe(0);
    world.leaseRows.delete(world.lease('b').key);
    await world.clock.advanceUntil(() => running.controller.state().hashRangeHoles === 1, 40_000);
    expect(await metric(running, 'hash_range_hole')).toBe(1);
    await world.clock.advance(31_000);

    expect(await metric(running, 'hash_range_hole')).toBe(0);
    expect(world.owners()).toEqual({ a: 'w1', b: 'w1' });
  });

  it('that nothing else explains is repaired when three looks in a row found it', async () => {
    const running = await readWhole();
    world.finish('b');
    await world.clock.advance(31_000);
    world.leaseRows.delete(world.lease('b').key);
    await world.clock.advance(31_000);
    expect(world.owners()).toEqual({ a: 'w1' });
    await world.clock.advance(31_000);

    expect(world.lease('b')).toMatchObject({ checkpoint: { kind: 'TRIM_HORIZON' }, owner: 'w1', ...HIGH });
    await world.clock.advance(31_000);
    expect(running.controller.conditions()).toEqual({});
    expect(await metric(running, 'hash_range_hole')).toBe(0);
  });

  it('in ListShards alone changes nothing', async () => {
    const settled = await settledWorld(3, ['w1']);
    ({ world } = settled);
    const before = new Map(world.leaseRows);
    const shards = world.stream.shards;
    world.stream.shards = shards?.slice(0, 2);
    await world.clock.advance(31_000);
    world.stream.shards = shards;
    await world.clock.advance(31_000);

    expect(world.leaseRows).toEqual(before);
    expect(await metric(settled.running, 'hash_range_hole')).toBe(0);
  });
});

describe('a fleet that was down for long', () => {
  it('reads three generations in order, each after the one before', async () => {
    const settled = await settledWorld(1, ['w1']);
    ({ world } = settled);
    settled.running.stop.abort();
    await world.clock.advance(1_000);
    world.stream.shards = [
      ...[listedShard('shard-0', [], true), listedShard('a', ['shard-0'], true), listedShard('b', ['shard-0'], true)],
      ...[listedShard('m', ['a', 'b'], true), listedShard('x', ['m']), listedShard('y', ['m'])],
    ];
    world.startController({ INITIAL_POSITION: 'LATEST' });
    await world.clock.advance(10_000);
    const order: string[] = [];
    for (let generation = 0; generation < 4; generation++) {
      const held = Object.entries(world.owners()).filter(([, owner]) => owner === 'w1');
      order.push(held.map(([shardId]) => shardId).join(' '));
      for (const [shardId] of held) world.finish(shardId);
      await world.clock.advance(5_000);
    }

    expect(order).toEqual(['shard-0', 'a b', 'm', 'x y']);
    expect(world.lease('m')).toMatchObject({ parents: ['a', 'b'] });
  });

  it('waits for the row of a parent that retention trimmed until its owner let it go, then reads the children', async () => {
    ({ world } = await settledWorld(1, ['w1']));
    world.stream.shards = [listedShard('a', ['shard-0']), listedShard('b', ['shard-0'])];
    await world.clock.advance(100_000);
    expect(world.owners()).toEqual({ a: '-', b: '-', 'shard-0': 'w1' });
    world.leaseRows.delete(world.lease('shard-0').key);
    world.bus.worker().toController({ kind: 'shard-ended', leaseKey: [...world.leaseRows.keys()][0] ?? '' });
    await world.clock.advance(35_000);

    expect(world.owners()).toEqual({ a: 'w1', b: 'w1' });
  });

  it('counts a warning for a parent that nobody has a row for, and reads on', async () => {
    const settled = await settledWorld(1, ['w1']);
    ({ world } = settled);
    world.stream.shards = [listedShard('shard-0', [], true), listedShard('m', ['shard-0', 'expired'])];
    world.finish('shard-0');
    await world.clock.advance(40_000);

    expect(world.owners()).toEqual({ m: 'w1', 'shard-0': 'END' });
    expect(await metric(settled.running, 'parents_missing_total')).toBe(1);
  });
});

describe('the row of a finished lease', () => {
  it('is removed after retention, when both children have checkpoints of their own, and leaves no hole', async () => {
    const settled = await settledWorld(1, ['w1']);
    ({ world } = settled);
    const children = [
      { ...listedShard('a', ['shard-0']), ...LOW },
      { ...listedShard('b', ['shard-0']), ...HIGH },
    ];
    world.stream.shards = [listedShard('shard-0', [], true), ...children];
    await world.clock.advance(31_000);
    world.finish('shard-0');
    await world.clock.advance(31_000);
    world.stream.shards = children;
    world.change('a', { checkpoint: { kind: 'AFTER', position: positionOf('5') } });
    await world.clock.advance(150_000);
    expect(world.owners()).toEqual({ a: 'w1', b: 'w1', 'shard-0': 'END' });
    world.change('b', { checkpoint: { kind: 'AFTER', position: positionOf('6') } });
    await world.clock.advance(61_000);

    expect(world.owners()).toEqual({ a: 'w1', b: 'w1' });
    expect(await metric(settled.running, 'leases_removed_total{reason="finished"}')).toBe(1);
    expect(await metric(settled.running, 'hash_range_hole')).toBe(0);
  });

  it('that was removed too early is not created again: nothing of the parent is read twice', async () => {
    const settled = await settledWorld(1, ['w1']);
    ({ world } = settled);
    world.stream.shards = [listedShard('shard-0', [], true), listedShard('a', ['shard-0'])];
    await world.clock.advance(31_000);
    world.finish('shard-0');
    await world.clock.advance(31_000);
    world.leaseRows.delete(world.lease('shard-0').key);
    await world.clock.advance(130_000);
    settled.running.stop.abort();
    world.startController({ INITIAL_POSITION: 'TRIM_HORIZON' });
    await world.clock.advance(40_000);

    expect(world.owners()).toEqual({ a: 'w1' });
  });
});
