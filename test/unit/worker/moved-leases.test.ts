import { describe, expect, it } from 'vitest';
import { WorkerWorld } from './worker-world.ts';

const ME = 'worker-1';

/** A worker to which no orders come: only hints. */
async function started(): Promise<WorkerWorld> {
  const world = new WorkerWorld();
  await world.start();
  return world;
}

/** From now on what is read of a row is as it was `ms` ago. */
function answersAfter(ms: number, { clock, leases }: WorkerWorld): void {
  const read = leases.read.bind(leases);
  leases.read = async (key) => {
    const lease = await read(key);
    await clock.sleep(ms);
    return lease;
  };
}

describe('a worker that hears of a moved lease before its orders come', () => {
  it('starts at once when the row says that it has the lease', async () => {
    const world = await started();
    world.putLease(0, { owner: ME });
    const beforeMs = world.clock.monotonicMs();

    world.hear({ kind: 'lease-moved', leaseKey: world.key(0) });
    await world.clock.flush();

    expect(world.states()).toEqual({ 0: 'Reading' });
    expect(world.clock.monotonicMs()).toBe(beforeMs);
    await world.stop();
  });

  it('starts nothing when the row says otherwise, or there is none, however often it hears so', async () => {
    const world = await started();
    world.putLease(0, { owner: 'other' });

    for (let i = 0; i < 50; i++) {
      world.hear({ kind: 'lease-moved', leaseKey: world.key(0) });
      world.hear({ kind: 'lease-moved', leaseKey: 'nobody:has:1:this' });
      await world.clock.flush();
    }

    expect(world.states()).toEqual({});
    await world.stop();
  });

  it('hands over at once when the row says that the lease is to go, and the orders of before change nothing', async () => {
    const world = await started();
    world.putLease(0, { owner: ME });
    await world.order([{ leaseKey: world.key(0), verb: 'hold' }]);
    await world.leases.handoff({ key: world.key(0), generation: 1 }, ME, 'worker-new');
    const beforeMs = world.clock.monotonicMs();

    world.hear({ kind: 'lease-moved', leaseKey: world.key(0) });
    await world.clock.flush();

    expect(world.states()).toEqual({});
    expect(world.lease(0)).toMatchObject({ owner: 'worker-new', generation: 2 });
    expect(world.clock.monotonicMs()).toBe(beforeMs);
    await world.clock.advance(3_000);
    expect(world.states()).toEqual({});
    await world.stop();
  });

  it('goes on with a lease whose row is as it was', async () => {
    const world = await started();
    world.putLease(0, { owner: ME });
    await world.order([{ leaseKey: world.key(0), verb: 'hold' }]);

    world.hear({ kind: 'lease-moved', leaseKey: world.key(0) });
    await world.clock.advance(2_000);

    expect(world.states()).toEqual({ 0: 'Reading' });
    expect([...world.counts.leasesLost]).toEqual([]);
    await world.stop();
  });

  it('hands over at once when it hears so while it looks at a row that said nothing new yet', async () => {
    const world = await started();
    world.putLease(0, { owner: ME });
    await world.order([{ leaseKey: world.key(0), verb: 'hold' }]);
    answersAfter(50, world);
    world.hear({ kind: 'lease-moved', leaseKey: world.key(0) });
    await world.clock.advance(20);
    await world.leases.handoff({ key: world.key(0), generation: 1 }, ME, 'worker-new');

    world.hear({ kind: 'lease-moved', leaseKey: world.key(0) });
    await world.clock.advance(150);

    expect(world.states()).toEqual({});
    expect(world.lease(0)).toMatchObject({ owner: 'worker-new', generation: 2 });
    await world.stop();
  });

  it('starts with the orders that come while it finds the lease with somebody else, though it hears nothing', async () => {
    const world = await started();
    world.putLease(0, { owner: 'other' });
    answersAfter(2_000, world);
    await world.order([{ leaseKey: world.key(0), verb: 'hold' }]);
    await world.clock.advance(1_000);
    world.putLease(0, { owner: ME, generation: 2 });
    await world.order([{ leaseKey: world.key(0), verb: 'hold' }]);
    await world.clock.advance(4_500);

    expect(world.states()).toEqual({ 0: 'Reading' });
    await world.stop();
  });

  it.each([
    ['while it waits for the old owner', { owner: ME, checkpointOwner: 'old' }],
    ['while it finds the lease with somebody else', { owner: 'old' }],
  ])('misses no news that comes between a look and its answer, %s', async (_, before) => {
    const world = await started();
    world.putLease(0, before);
    answersAfter(50, world);
    await world.order([{ leaseKey: world.key(0), verb: 'hold' }]);
    await world.clock.advance(200);
    world.hear({ kind: 'lease-moved', leaseKey: world.key(0) });
    await world.clock.advance(20);
    world.putLease(0, { owner: ME, generation: 2 });

    world.hear({ kind: 'lease-released', leaseKey: world.key(0) });
    await world.clock.advance(90);

    expect(world.states()).toEqual({ 0: 'Reading' });
    await world.stop();
  });
});
