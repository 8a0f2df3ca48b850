/** A worker whose heartbeats the table refuses: it must have stopped by itself before anybody else gets its leases. */
import { afterEach, describe, expect, it } from 'vitest';
import { WorkerSession } from '../../../lease/worker-session.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { FakeWorkerStore } from '../../support/fake-worker-store.ts';
import { settledWorld, type World } from './controller-world.ts';

const LEASE_DURATION_MS = 10_000;
/** Of the beat and of the controller's tick: whichever comes first, the order must be the same. */
const PHASES_MS = [0, 130, 390, 520, 650, 910];

let world: World;
afterEach(() => world.end());

/** A worker that lives and listens, whose way to the table is its own. */
function startSession(id: string) {
  const store = new FakeWorkerStore(world.fleetRows);
  const stop = new AbortController();
  const fencedMs: number[] = [];
  const session = new WorkerSession({
    ...{ store, clock: world.clock, logger: silentLogger, heartbeatMs: 1_000, leaseDurationMs: LEASE_DURATION_MS },
    newId: () => id,
    status: () => ({ state: 'active', load: { leases: 0, bytesPerSecond: 0 } }),
    listener: {
      onRegistered: () => undefined,
      onOrders: () => undefined,
      onSelfFenced: () => fencedMs.push(world.clock.monotonicMs()),
      onDrainWritten: () => undefined,
      onGone: () => undefined,
    },
  });
  world.bus.worker().listen(id, () => session.nudge(), stop.signal);
  void session.run(stop.signal);
  return { faults: store.faults, fencedMs, stop };
}

describe('a worker that the table refuses for two lease durations', () => {
  it.each(PHASES_MS)(
    "stops by itself before its leases are another one's, from %i ms of a second on",
    async (phaseMs) => {
      ({ world } = await settledWorld(2, []));
      await world.clock.advance(phaseMs);
      const victim = startSession('victim');
      await world.clock.advance(5_000);
      expect(world.counts()).toEqual({ victim: 2 });
      world.startWorker('other');
      await world.clock.advance(4_000 + phaseMs / 2);
      const held = Object.values(world.owners()).filter((owner) => owner === 'victim>other').length;
      expect(held).toBe(1);
      victim.faults.onCall = () => 'before';
      const stopped = world.clock.monotonicMs();

      const isTaken = (): boolean => Object.values(world.owners()).every((owner) => owner === 'other');
      await world.clock.advanceUntil(isTaken, 2 * LEASE_DURATION_MS);
      victim.stop.abort();

      expect(victim.fencedMs).toHaveLength(1);
      expect(victim.fencedMs[0]).toBeLessThan(world.clock.monotonicMs());
      expect(world.clock.monotonicMs() - stopped).toBeGreaterThan(LEASE_DURATION_MS - 1_000);
    },
  );

  it('keeps its leases when it is refused for half of one', async () => {
    ({ world } = await settledWorld(2, []));
    const victim = startSession('victim');
    await world.clock.advance(5_000);
    world.startWorker('other');
    await world.clock.advance(500);
    const before = world.owners();
    victim.faults.onCall = () => 'before';
    await world.clock.advance(LEASE_DURATION_MS / 2);
    victim.faults.onCall = () => undefined;
    await world.clock.advance(15_000);
    victim.stop.abort();

    expect(victim.fencedMs).toEqual([]);
    expect(world.owners()).toEqual(before);
  });
});
