/**
 * The whole fleet as real processes, for tests: a stage with a controller and workers, records flowing from a producer
 * that keeps the truth, and a seeded choice of whom to hurt.
 */

import type { Lease } from '../../lease/lease.ts';
import type { Member } from '../../local/fleet.ts';
import { Stage, type StageOptions } from '../../local/stage.ts';
import type { FleetCounts } from '../../pipelines/fleet-counts.ts';
import { systemClock } from '../../runtime/clock.ts';

export interface LiveFleetOptions extends Partial<Omit<StageOptions, 'clock'>> {
  readonly workers?: number;
}

export async function startLiveFleet(options: LiveFleetOptions = {}): Promise<Stage> {
  const stage = await Stage.start({ ...options, clock: systemClock, shards: options.shards ?? 4 });
  try {
    await Promise.all([stage.fleet.startController(), stage.fleet.scale(options.workers ?? 3)]);
    return stage;
  } catch (error) {
    await stage.abort();
    throw error;
  }
}

/** Leases whose row names this worker as owner. */
export async function leasesOf(stage: Stage, worker: Member): Promise<Lease[]> {
  const leases = await stage.stores.leases.readAll();
  return leases.filter((lease) => lease.owner?.startsWith(`${worker.name}-`));
}

/** Asks until it is so: true. False when the time is over. */
export async function until(isSo: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = systemClock.monotonicMs() + timeoutMs;
  while (systemClock.monotonicMs() < deadline) {
    if (await isSo()) return true;
    await systemClock.sleep(100);
  }
  return false;
}

/** Waits until every lease that can be held is held by a running worker. */
export async function untilAllHeld(stage: Stage, timeoutMs = 20_000): Promise<void> {
  const deadline = systemClock.monotonicMs() + timeoutMs;
  while (systemClock.monotonicMs() < deadline) {
    const open = (await stage.observer.leases()).filter((lease) => lease.checkpoint.kind !== 'SHARD_END');
    const isLive = (lease: Lease): boolean =>
      lease.checkpointOwner === undefined &&
      stage.fleet.workers.some((worker) => lease.owner?.startsWith(`${worker.name}-`));
    if (open.length > 0 && open.every(isLive)) return;
    await systemClock.sleep(50);
  }
  throw new Error(`not every shard is held after ${timeoutMs} ms`);
}

/** Produces for about `seconds` at `ratePerSecond`; the promise gives the truth. */
export function produceFor(stage: Stage, seconds: number, ratePerSecond: number, seed: number): Promise<FleetCounts> {
  const records = Math.round(seconds * ratePerSecond);
  const truth = stage.produce({ records, ratePerSecond, seed, duplicateShare: 0.05, garbageShare: 0.002 });
  // A test that fails before it awaits the truth ends the producer; what the test said must be seen, not that.
  truth.catch(() => undefined);
  return truth;
}

/** A number of the environment, for long forms of a test: `KILLS=50 npx vitest run ...`. */
export function numberFromEnvironment(name: string, fallback: number): number {
  return Number(process.env[name] ?? fallback);
}
