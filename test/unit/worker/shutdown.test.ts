import { describe, expect, it } from 'vitest';
import type { WorkerState } from '../../../lease/worker-store.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { runUntilDrained } from '../../../worker/shutdown.ts';
import { WorkerWorld } from './worker-world.ts';

const ME = 'worker-1';
const SHUTDOWN_MS = 60_000;

/** From its registration until it has left; `asked` is its SIGTERM. */
function run({ clock, workers, signals, worker }: WorkerWorld) {
  const asked = new AbortController();
  const stores = { workers, fleet: workers };
  const parts = { clock, stores, signals, logger: silentLogger, shutdownMs: SHUTDOWN_MS, signal: asked.signal };
  return { asked, ended: runUntilDrained(worker, parts) };
}

/** A worker that reads one shard, among others, and is told to stop. */
async function stopping(others: Readonly<Record<string, WorkerState>>) {
  const world = new WorkerWorld();
  const { clock, workers } = world;
  await workers.createFleet({
    ...{ streamArn: 'arn:aws:kinesis:eu-west-1:1:stream/s', streamCreationEpochSeconds: 1, schemaVersion: 1 },
    hashSeed: '0'.repeat(32),
  });
  for (const [id, state] of Object.entries(others)) {
    await workers.register(id);
    await workers.heartbeat(id, state, { leases: 0, bytesPerSecond: 0 });
  }
  const { asked, ended } = run(world);
  await clock.advance(100);
  const leaseKey = world.putLease(0, { owner: ME });
  await world.order([{ leaseKey, verb: 'hold' }]);
  expect(world.states()).toEqual({ 0: 'Reading' });
  const askedMs = clock.monotonicMs();
  asked.abort(new Error('SIGTERM'));
  const end = async (): Promise<number> => {
    await clock.runUntil(ended);
    return clock.monotonicMs() - askedMs;
  };
  return { world, ended, end };
}

describe('the end of a worker', () => {
  it('is told when its row says so, and again when its row is gone: who looks at a hint must find what it means', async () => {
    const world = new WorkerWorld();
    const { clock, workers } = world;
    const told: unknown[] = [];
    const toController = (): unknown => told.push(workers.rows.workers.get(ME)?.state ?? 'no row');
    world.signals.toController = toController;
    const { asked, ended } = run(world);
    await clock.advance(2_000);
    workers.faults.onCall = async () => {
      await clock.sleep(30);
      return undefined;
    };

    asked.abort(new Error('SIGTERM'));
    await clock.runUntil(ended);

    expect(told).toEqual(['starting', 'draining', 'no row']);
  });

  it('frees its leases at once when nobody else is there, and leaves the fleet', async () => {
    const { world, end } = await stopping({});

    expect(await end()).toBeLessThan(1_000);

    expect(world.lease(0).owner).toBeUndefined();
    expect(world.workers.rows.registered).toEqual(new Set());
  });

  it('frees its leases at once when all others stop as well', async () => {
    const { world, end } = await stopping({ other: 'draining' });

    expect(await end()).toBeLessThan(1_000);

    expect(world.lease(0).owner).toBeUndefined();
  });

  it('waits for a handoff while somebody could take over, and no longer', async () => {
    const { world, end } = await stopping({ other: 'active' });
    await world.clock.advance(10_000);
    expect(world.states()).toEqual({ 0: 'Reading' });

    world.workers.rows.workers.delete('other');

    expect(await end()).toBeLessThan(12_000);
    expect(world.lease(0).owner).toBeUndefined();
  });

  it('does not take a table that does not answer for an empty fleet', async () => {
    const { world, end } = await stopping({ other: 'active' });
    world.workers.faults.fail('readFleet', 'before', Number.POSITIVE_INFINITY);

    expect(await end()).toBeGreaterThanOrEqual(SHUTDOWN_MS / 2);
  });

  it('leaves no row behind when it is told to stop while it registers', async () => {
    const world = new WorkerWorld();
    const { clock, workers } = world;
    workers.faults.onCall = async () => {
      await clock.sleep(100);
      return undefined;
    };
    const { asked, ended } = run(world);
    asked.abort(new Error('SIGTERM'));

    await clock.runUntil(ended);

    expect(workers.rows.registered).toEqual(new Set());
  });
});
