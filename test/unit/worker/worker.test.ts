import { describe, expect, it } from 'vitest';
import { rawBatchOf } from '../../support/fake-source.ts';
import { LEASE_DURATION_MS, WorkerWorld } from './worker-world.ts';

const ME = 'worker-1';

async function holding(shards: number): Promise<WorkerWorld> {
  const world = new WorkerWorld();
  await world.start();
  const keys = Array.from({ length: shards }, (_, i) => world.putLease(i, { owner: ME }));
  await world.order(keys.map((leaseKey) => ({ leaseKey, verb: 'hold' })));
  return world;
}

describe('a worker', () => {
  it('starts what it is told to hold when the row says so, and nothing else', async () => {
    const world = new WorkerWorld();
    await world.start();
    world.putLease(0, { owner: ME });
    world.putLease(1, { owner: 'other' });
    world.putLease(2, { owner: ME });

    await world.order([0, 1].map((shard) => ({ leaseKey: world.key(shard), verb: 'hold' })));

    expect(world.states()).toEqual({ 0: 'Reading' });
    expect(world.workers.rows.workers.get(ME)?.load.leases).toBe(0);
    await world.clock.advance(1_000);
    expect(world.workers.rows.workers.get(ME)?.load.leases).toBe(1);
    await world.stop();
  });

  it('drains only when the row says that a handoff began, and tells both sides', async () => {
    const world = await holding(1);
    await world.order([{ leaseKey: world.key(0), verb: 'drain' }]);
    expect(world.states()).toEqual({ 0: 'Reading' });

    await world.leases.handoff({ key: world.key(0), generation: 1 }, ME, 'worker-new');
    await world.order([{ leaseKey: world.key(0), verb: 'drain' }]);

    expect(world.states()).toEqual({});
    expect(world.lease(0)).toMatchObject({ owner: 'worker-new', generation: 2 });
    const hint = { kind: 'lease-released', leaseKey: world.key(0) };
    expect(world.sent).toContainEqual({ to: 'worker-new', hint });
    expect(world.sent).toContainEqual({ to: 'controller', hint });
    await world.stop();
  });

  it('has released a lease, and lost none, when the row shows the release before its answer comes', async () => {
    const world = await holding(1);
    await world.leases.handoff({ key: world.key(0), generation: 1 }, ME, 'worker-new');
    world.leases.faults.fail('release', 'after');
    await world.workers.writeOrders(ME, { version: 9, orders: [{ leaseKey: world.key(0), verb: 'drain' }] });
    world.hear({ kind: 'orders-changed' });
    await world.clock.advanceUntil(() => world.leases.faults.calls.includes('release'));

    const hint = { kind: 'lease-released', leaseKey: world.key(0) } as const;
    world.hear(hint);
    await world.clock.advance(200);

    expect(world.states()).toEqual({});
    expect([...world.counts.leasesLost]).toEqual([]);
    expect(world.sent).toContainEqual({ to: 'worker-new', hint });
    await world.stop();
  });

  it('goes on with a lease that its orders forgot while the row is its own, and stops when it is not', async () => {
    const world = await holding(2);
    world.leases.put({ ...world.lease(1), owner: 'other', generation: 2 });

    await world.order([]);

    expect(world.states()).toEqual({ 0: 'Reading' });
    expect(world.counts.leasesLost.get('reassigned')).toBe(1);
    await world.stop();
  });

  it('prepares during a handoff to it and starts at the wake-up, in the next generation', async () => {
    const world = new WorkerWorld();
    await world.start();
    world.putLease(0, { owner: ME, checkpointOwner: 'old' });
    await world.order([{ leaseKey: world.key(0), verb: 'hold' }]);
    expect(world.states()).toEqual({});

    await world.leases.release({ key: world.key(0), workerId: 'old', generation: 1 });
    const beforeMs = world.clock.monotonicMs();
    world.hear({ kind: 'lease-released', leaseKey: world.key(0) });
    await world.clock.flush();

    expect(world.states()).toEqual({ 0: 'Reading' });
    expect(world.clock.monotonicMs()).toBe(beforeMs);
    await world.stop();
  });

  it('lets go of a handoff in which it is the old owner with nothing running', async () => {
    const world = new WorkerWorld();
    await world.start();
    world.putLease(0, { owner: 'new', checkpointOwner: ME });

    await world.order([{ leaseKey: world.key(0), verb: 'drain' }]);

    expect(world.lease(0)).toMatchObject({ owner: 'new', generation: 2 });
    expect(world.lease(0).checkpointOwner).toBeUndefined();
    await world.stop();
  });

  it('goes on with its other shards when one fails, and tries that one again', async () => {
    const world = await holding(2);
    const [first] = world.sources.opened;
    first!.push(new Error('a bug'));
    await world.clock.advance(200);
    expect(world.states()).toEqual({ 1: 'Reading' });
    expect(world.counts.leasesLost.get('failed')).toBe(1);

    await world.clock.advance(3_000);

    expect(world.states()).toEqual({ 0: 'Reading', 1: 'Reading' });
    await world.stop();
  });

  it('aborts all its shards when no heartbeat is answered, and starts again where it still owns', async () => {
    const world = await holding(2);
    world.workers.faults.fail('heartbeat', 'before', Number.POSITIVE_INFINITY);
    await world.clock.advance(LEASE_DURATION_MS + 500);
    expect(world.states()).toEqual({});
    expect(world.counts.leasesLost.get('self_fenced')).toBe(2);

    world.leases.put({ ...world.lease(1), owner: 'other', generation: 2 });
    world.workers.faults.heal();
    await world.clock.advance(5_000);

    expect(world.states()).toEqual({ 0: 'Reading' });
    await world.stop();
  });

  it('aborts all and registers under a new id when its row is gone', async () => {
    const world = await holding(1);
    world.workers.rows.workers.delete(ME);
    await world.clock.advance(3_000);

    expect(world.states()).toEqual({});
    expect(world.worker.id).toBe('worker-2');
    expect(world.lease(0).owner).toBe(ME);
    await world.stop();
  });

  it('is stalled, for the liveness probe, when a loop makes no progress, but not while it waits for records', async () => {
    const world = await holding(1);
    await world.clock.advance(600_000);
    expect(world.worker.stalled).toEqual([]);
    await world.stop();
  });
});

describe('a worker of which one part fails', () => {
  it('ends with that failure, and does not live on doing half of its work', async () => {
    const world = new WorkerWorld();
    world.sent.push = () => {
      throw new Error('a bug');
    };

    const running = world.worker.run(new AbortController().signal);

    await expect(world.clock.runUntil(running, 30_000)).rejects.toThrow('a bug');
    expect(world.clock.sleeping()).toBe(0);
  });
});

describe('the liveness watchdog', () => {
  it('names a shard whose loop hangs without an attempt at anything', async () => {
    const world = await holding(2);
    world.hang();
    world.sources.opened[0]!.push(rawBatchOf([{ sequenceNumber: '1', payload: '1' }]));
    await world.clock.advance(121_000);

    expect(world.worker.stalled).toEqual(['shardId-000000000000']);
    await world.stop();
  });
});

describe('a worker that is to stop', () => {
  it('says draining at once, hands over what is asked for, and is done when nothing is left', async () => {
    const world = await holding(1);
    const drained = world.worker.drain(10_000);
    await world.clock.advance(100);
    expect(world.workers.rows.workers.get(ME)?.state).toBe('draining');

    await world.leases.handoff({ key: world.key(0), generation: 1 }, ME, 'worker-new');
    await world.order([{ leaseKey: world.key(0), verb: 'drain' }]);

    expect(await world.clock.runUntil(drained)).toBe(true);
    expect(world.clock.monotonicMs()).toBeLessThan(1_000);
    expect(world.lease(0).owner).toBe('worker-new');
    await world.stop();
  });

  it('frees what nobody took over in half of its time, checkpointed', async () => {
    const world = await holding(1);
    world.sources.opened[0]!.push(rawBatchOf([{ sequenceNumber: '7', payload: '1' }]));
    const drained = world.worker.drain(20_000);

    expect(await world.clock.runUntil(drained)).toBe(true);

    expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(10_000);
    expect(world.lease(0).owner).toBeUndefined();
    expect(world.lease(0).checkpoint.kind).toBe('AFTER');
    await world.stop();
  });

  it('starts nothing more', async () => {
    const world = new WorkerWorld();
    await world.start();
    world.putLease(0, { owner: ME });
    await world.worker.drain(1_000);

    await world.order([{ leaseKey: world.key(0), verb: 'hold' }]);

    expect(world.states()).toEqual({});
    await world.stop();
  });
});
