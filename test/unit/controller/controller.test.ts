import { afterEach, describe, expect, it } from 'vitest';
import { listedShard, settledWorld, World } from './controller-world.ts';

let world: World;
afterEach(() => world.end());

async function metric(registry: { metrics(): Promise<string> }, series: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find((one) => one.startsWith(`kinesis_fleet_${series} `));
  return Number(line?.split(' ').at(-1));
}

describe('a controller that begins', () => {
  it('waits for a missing stream, says so, and begins when it is there', async () => {
    world = new World();
    const { controller } = world.startController();
    world.startWorker('w1');
    await world.clock.advance(10_000);
    expect(controller.conditions()).toHaveProperty('StreamMissing');
    expect(world.leaseRows.size).toBe(0);
    world.stream.shards = [listedShard('s')];
    await world.clock.advance(3_000);
    expect(controller.conditions()).toEqual({});
    expect(world.owners()).toEqual({ s: 'w1' });
    expect(world.lease('s').checkpoint).toEqual({ kind: 'AT_TIMESTAMP', timestampMs: 1_790_000_500_000 });
  });

  it('writes a fleet row with a random seed, once', async () => {
    ({ world } = await settledWorld(1, []));
    const seed = world.fleetRows.fleet?.hashSeed;
    expect(seed).toMatch(/^[0-9a-f]{32}$/);
    world.startController();
    await world.clock.advance(60_000);
    expect(world.fleetRows.fleet?.hashSeed).toBe(seed);
  });

  it('spreads the shards over its workers, and tells each', async () => {
    ({ world } = await settledWorld(7, ['w1', 'w2', 'w3']));
    expect(Object.values(world.counts()).toSorted()).toEqual([2, 2, 3]);
    for (const id of ['w1', 'w2', 'w3']) {
      const orders = world.fleetRows.orders.get(id)?.orders ?? [];
      expect(orders.map((order) => order.leaseKey)).toEqual(
        [...world.leaseRows.values()]
          .filter((lease) => lease.owner === id)
          .map((lease) => lease.key)
          .toSorted((a, b) => (a < b ? -1 : 1)),
      );
    }
  });

  it('moves only what is needed for more workers, and for fewer', async () => {
    let fleet: Awaited<ReturnType<typeof settledWorld>>['fleet'];
    ({ world, fleet } = await settledWorld(9, ['w1', 'w2', 'w3']));
    const before = world.owners();
    for (const id of ['w4', 'w5']) fleet.set(id, world.startWorker(id));
    await world.clock.advance(10_000);
    const grown = world.owners();
    expect(Object.keys(before).filter((shard) => before[shard] !== grown[shard])).toHaveLength(3);
    fleet.get('w4')?.drain();
    fleet.get('w5')?.drain();
    await world.clock.advance(10_000);
    const shrunk = world.owners();
    expect(Object.keys(grown).filter((shard) => grown[shard] !== shrunk[shard])).toHaveLength(3);
    expect(world.counts()).toEqual({ w1: 3, w2: 3, w3: 3 });
    await world.clock.advance(60_000);
    expect(world.owners()).toEqual(shrunk);
  });
});

describe('a worker that dies', () => {
  it('is seen by its presence, and all that it had is taken, within 600 ms', async () => {
    const settled = await settledWorld(6, ['w1', 'w2', 'w3']);
    ({ world } = settled);
    const generation = world.lease(
      Object.entries(world.owners()).find(([, owner]) => owner === 'w1')?.[0] ?? '',
    ).generation;
    settled.fleet.get('w1')?.kill();
    await world.clock.advance(600);
    expect(world.counts()).toEqual({ w2: 3, w3: 3 });
    expect([...world.leaseRows.values()].filter((lease) => lease.generation === generation + 1)).toHaveLength(2);
    expect(await metric(settled.running.registry, 'takeovers_total{reason="presence"}')).toBe(2);
    await world.clock.advance(2_000);
    expect([...world.fleetRows.workers.keys()]).toEqual(['w2', 'w3']);
    expect([...world.fleetRows.registered]).toEqual(['w2', 'w3']);
  });

  it('is seen by its heartbeat alone when there are no signals', async () => {
    const settled = await settledWorld(4, ['w1', 'w2']);
    ({ world } = settled);
    world.bus.isAway = true;
    settled.fleet.get('w1')?.kill();
    await world.clock.advance(9_000);
    expect(world.counts()).toEqual({ w1: 2, w2: 2 });
    await world.clock.advance(5_000);
    expect(world.counts()).toEqual({ w2: 4 });
    expect(await metric(settled.running.registry, 'takeovers_total{reason="heartbeat"}')).toBe(2);
  });

  it('as the only one keeps its leases in the table until somebody can take them', async () => {
    const settled = await settledWorld(2, ['w1']);
    ({ world } = settled);
    settled.fleet.get('w1')?.kill();
    await world.clock.advance(30_000);
    expect(world.counts()).toEqual({ w1: 2 });
    world.startWorker('w2');
    await world.clock.advance(500);
    expect(world.counts()).toEqual({ w2: 2 });
  });

  it('is nobody when Redis restarts', async () => {
    ({ world } = await settledWorld(4, ['w1', 'w2']));
    const before = world.owners();
    world.bus.dropConnections();
    await world.clock.advance(20_000);
    expect(world.owners()).toEqual(before);
  });

  it('is nobody when the table was away for a minute', async () => {
    const settled = await settledWorld(4, ['w1', 'w2']);
    ({ world } = settled);
    settled.running.workers.faults.fail('readWorkers', 'before', 1_000);
    const before = world.owners();
    await world.clock.advance(60_000);
    settled.running.workers.faults.heal();
    await world.clock.advance(30_000);
    expect(world.owners()).toEqual(before);
  });
});

describe('a handoff', () => {
  it('that the old owner never ends is forced at the deadline', async () => {
    world = new World();
    world.stream.shards = [listedShard('a'), listedShard('b')];
    const { registry } = world.startController({ INITIAL_POSITION: 'TRIM_HORIZON' });
    world.startWorker('w1', { stubborn: true });
    await world.clock.advance(3_000);
    world.startWorker('w2');
    await world.clock.advance(25_000);
    expect(Object.values(world.owners()).toSorted()).toEqual(['w1', 'w1>w2']);
    await world.clock.advance(10_000);
    expect(world.counts()).toEqual({ w1: 1, w2: 1 });
    expect(await metric(registry, 'handoff_forced_total')).toBe(1);
    expect(await metric(registry, 'handoffs_total{outcome="forced"}')).toBe(1);
  });

  it('goes elsewhere when its target dies, the old owner not excepted', async () => {
    world = new World();
    world.stream.shards = [listedShard('a'), listedShard('b')];
    world.startController({ INITIAL_POSITION: 'TRIM_HORIZON' });
    world.startWorker('w1', { stubborn: true });
    await world.clock.advance(3_000);
    const target = world.startWorker('w2');
    await world.clock.advance(3_000);
    expect(Object.values(world.owners()).toSorted()).toEqual(['w1', 'w1>w2']);
    target.kill();
    await world.clock.advance(1_000);
    expect(Object.values(world.owners()).toSorted()).toEqual(['w1', 'w1>w1']);
    await world.clock.advance(31_000);
    expect(world.counts()).toEqual({ w1: 2 });
  });

  it('is forced at once when the old owner dies in it', async () => {
    world = new World();
    world.stream.shards = [listedShard('a'), listedShard('b'), listedShard('c')];
    world.startController({ INITIAL_POSITION: 'TRIM_HORIZON' });
    const old = world.startWorker('w1', { stubborn: true });
    await world.clock.advance(3_000);
    world.startWorker('w2');
    world.startWorker('w3');
    await world.clock.advance(2_000);
    expect(Object.values(world.owners())).toContain('w1>w2');
    old.kill();
    await world.clock.advance(1_000);
    expect(world.counts()).toEqual({ w2: 2, w3: 1 });
  });

  it('takes 300 ms when hints arrive, and ends without them too', async () => {
    const settled = await settledWorld(4, ['w1']);
    ({ world } = settled);
    world.startWorker('w2');
    await world.clock.advance(300);
    expect(world.counts()).toEqual({ w1: 2, w2: 2 });
    world.bus.isAway = true;
    world.startWorker('w3');
    await world.clock.advance(5_000);
    expect(Object.values(world.counts()).toSorted()).toEqual([1, 1, 2]);
  });
});

describe('a reshard', () => {
  it('gives children away only when every parent is finished, also when no hint says so', async () => {
    ({ world } = await settledWorld(2, ['w1', 'w2']));
    world.stream.shards = [
      listedShard('shard-0', [], true),
      listedShard('shard-1', [], true),
      listedShard('m', ['shard-0', 'shard-1']),
    ];
    world.bus.worker().toController({ kind: 'shard-ended', leaseKey: world.lease('shard-0').key });
    await world.clock.advance(1_000);
    expect(world.owners().m).toBe('-');
    expect(world.lease('m')).toMatchObject({ parents: ['shard-0', 'shard-1'], checkpoint: { kind: 'TRIM_HORIZON' } });
    world.finish('shard-0');
    await world.clock.advance(2_500);
    expect(world.owners().m).toBe('-');
    world.finish('shard-1');
    await world.clock.advance(2_500);
    expect(world.owners().m).toMatch(/^w/);
    expect(world.lease('shard-0').children).toEqual(['m']);
  });

  it('does not wait for a parent that is gone from the table and from the stream', async () => {
    ({ world } = await settledWorld(1, ['w1']));
    world.stream.shards?.push(listedShard('child', ['shard-0', 'expired']));
    world.finish('shard-0');
    await world.clock.advance(40_000);
    expect(world.owners()).toEqual({ child: 'w1', 'shard-0': 'END' });
  });

  it('is listed at once when a shard ends, however often that is said', async () => {
    ({ world } = await settledWorld(1, ['w1']));
    const before = world.stream.lists;
    for (let i = 0; i < 200; i++) {
      world.bus.worker().toController({ kind: 'shard-ended', leaseKey: 'forged' });
      await world.clock.advance(5);
    }
    expect(world.stream.lists - before).toBeGreaterThanOrEqual(3);
    expect(world.stream.lists - before).toBeLessThanOrEqual(6);
  });
});
