import { afterEach, describe, expect, it } from 'vitest';
import { StreamUnavailable } from '../../../controller/stream-source.ts';
import { listedShard, settledWorld, type World } from './controller-world.ts';

let world: World;
afterEach(() => world.end());

async function metric(registry: { metrics(): Promise<string> }, series: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find((one) => one.startsWith(`kinesis_fleet_${series} `));
  return Number(line?.split(' ').at(-1));
}

describe('what should not happen', () => {
  it('a lease row deleted by hand is created again at TRIM_HORIZON, and counted', async () => {
    const settled = await settledWorld(2, ['w1'], { INITIAL_POSITION: 'LATEST' });
    ({ world } = settled);
    world.leaseRows.delete(world.lease('shard-1').key);
    await world.clock.advance(35_000);
    expect(world.lease('shard-1')).toMatchObject({ checkpoint: { kind: 'TRIM_HORIZON' }, owner: 'w1' });
    expect(await metric(settled.running.registry, 'leases_recreated_total')).toBe(1);
  });

  it('a lease row that says nothing we know is named, keeps nobody else from his turn, and goes on once it is mended', async () => {
    const settled = await settledWorld(6, ['w1', 'w2']);
    ({ world } = settled);
    const { controller, leases, registry } = settled.running;
    const { key } = [...world.leaseRows.values()].find(({ owner }) => owner === 'w1')!;
    leases.broken.add(key);
    settled.fleet.get('w1')?.kill();
    await world.clock.advance(15_000);
    const whileBroken = controller.conditions();
    const others = [...world.leaseRows.values()].filter((lease) => lease.key !== key).map(({ owner }) => owner);
    const ordered = [...world.fleetRows.orders.values()].flatMap(({ orders }) =>
      orders.map(({ leaseKey }) => leaseKey),
    );
    leases.broken.delete(key);
    await world.clock.advance(3_000);

    expect(whileBroken).toEqual({ LeaseRowBroken: { rows: 1, reasons: [expect.stringContaining(`row ${key} `)] } });
    expect(others).toEqual(['w2', 'w2', 'w2', 'w2', 'w2']);
    expect(ordered).not.toContain(key);
    expect(controller.conditions()).toEqual({});
    expect(world.counts()).toEqual({ w2: 6 });
    expect(await metric(registry, 'leases_recreated_total')).toBe(0);
    expect(world.fleetRows.orders.get('w2')?.orders.map(({ leaseKey }) => leaseKey)).toContain(key);
  });

  it('the only lease row says nothing we know when another controller leads: what its shard was split into waits for it', async () => {
    const settled = await settledWorld(1, ['w1'], { INITIAL_POSITION: 'LATEST' });
    ({ world } = settled);
    const { key } = world.lease('shard-0');
    settled.running.stop.abort();
    await world.clock.advance(1_000);
    const children = ['x', 'y'].map((id) => listedShard(id, ['shard-0']));
    world.stream.shards = [listedShard('shard-0', [], true), ...children];
    const { controller, leases } = world.startController({ INITIAL_POSITION: 'LATEST' });
    leases.broken.add(key);
    await world.clock.advance(60_000);
    const whileBroken = [...world.leaseRows.keys()];
    const conditions = controller.conditions();
    leases.broken.delete(key);
    await world.clock.advance(35_000);

    expect(whileBroken).toEqual([key]);
    expect(conditions).toHaveProperty('LeaseRowBroken');
    for (const child of ['x', 'y']) {
      expect(world.lease(child)).toMatchObject({ checkpoint: { kind: 'TRIM_HORIZON' }, parents: ['shard-0'] });
      expect(world.lease(child).owner).toBeUndefined();
    }
  });

  it('a stream that was deleted and created again stops everything, visibly', async () => {
    const settled = await settledWorld(2, ['w1', 'w2']);
    ({ world } = settled);
    world.stream.creationEpochSeconds++;
    await world.clock.advance(31_000);
    expect(settled.running.controller.conditions()).toHaveProperty('StreamRecreated');
    const before = new Map(world.leaseRows);
    world.stream.shards?.push(listedShard('new'));
    settled.fleet.get('w1')?.kill();
    await world.clock.advance(60_000);
    expect(world.leaseRows).toEqual(before);
    expect(await metric(settled.running.registry, 'controller_conditions{condition="StreamRecreated"}')).toBe(1);
  });

  it('a Kinesis that does not answer delays no failover', async () => {
    const settled = await settledWorld(2, ['w1', 'w2']);
    ({ world } = settled);
    world.stream.failure = new StreamUnavailable('ListShards', new Error('injected'));
    await world.clock.advance(31_000);
    expect(settled.running.controller.conditions()).toHaveProperty('StreamUnreachable');
    settled.fleet.get('w1')?.kill();
    await world.clock.advance(600);
    expect(world.counts()).toEqual({ w2: 2 });
    world.stream.failure = undefined;
    await world.clock.advance(2_000);
    expect(settled.running.controller.conditions()).toEqual({});
  });

  it('a call that hangs for ever does not keep the other reconcilers from their turns', async () => {
    const settled = await settledWorld(2, ['w1', 'w2']);
    ({ world } = settled);
    settled.running.workers.faults.fail('readOrders', 'hang');
    await world.clock.advance(40_000);
    settled.fleet.get('w1')?.kill();
    await world.clock.advance(15_000);
    expect(world.counts()).toEqual({ w2: 2 });
  });

  it('two controllers at once leave one owner per generation, and the second leads when the first is gone', async () => {
    const settled = await settledWorld(6, ['w1', 'w2']);
    ({ world } = settled);
    const second = world.startController();
    await world.clock.advance(5_000);
    expect([settled.running.controller.state().leading, second.controller.state().leading]).toEqual([true, false]);
    settled.running.stop.abort();
    await world.clock.advance(3_000);
    expect(second.controller.state().leading).toBe(true);
    const versions = [...world.fleetRows.orders.values()].map((orders) => orders.version);
    world.startWorker('w3');
    await world.clock.advance(3_000);
    expect(world.counts()).toEqual({ w1: 2, w2: 2, w3: 2 });
    expect([...world.fleetRows.orders.values()].every((orders, i) => orders.version >= (versions[i] ?? 0))).toBe(true);
  });

  it('orders that were lost on their way are written again', async () => {
    const settled = await settledWorld(2, ['w1']);
    ({ world } = settled);
    settled.running.workers.faults.fail('writeOrders', 'before', 2);
    world.startWorker('w2');
    await world.clock.advance(5_000);
    expect(world.counts()).toEqual({ w1: 1, w2: 1 });
    expect(world.fleetRows.orders.get('w2')?.orders).toHaveLength(1);
  });

  it('a fleet at rest costs a fixed number of calls a tick, and no writes', async () => {
    const settled = await settledWorld(50, ['w1', 'w2']);
    ({ world } = settled);
    await world.clock.advance(31_000);
    settled.running.leases.faults.calls.length = 0;
    settled.running.workers.faults.calls.length = 0;
    await world.clock.advance(60_000);
    const calls = Map.groupBy(
      [...settled.running.leases.faults.calls, ...settled.running.workers.faults.calls],
      (name) => name,
    );
    const count = (name: string): number => calls.get(name)?.length ?? 0;
    expect(count('readAll')).toBeLessThanOrEqual(3);
    expect(count('read')).toBe(0);
    expect(count('readWorkers')).toBeLessThanOrEqual(62);
    expect(count('readOrders')).toBeLessThanOrEqual(4);
    for (const write of ['assign', 'take', 'handoff', 'create', 'writeOrders', 'remove']) expect(count(write)).toBe(0);
  });
});
