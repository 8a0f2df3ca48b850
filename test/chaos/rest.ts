/**
 * Is the fleet at rest? After the faults, everything that was produced must be counted, every shard held by a process
 * that lives, and every closed shard finished. Says what is missing, so that a run that never gets there explains itself.
 */
import { isFinished, type Lease } from '../../lease/lease.ts';
import type { Stage } from '../../local/stage.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { ChaosFleet } from './chaos-fleet.ts';

const LOOK_MS = 200;

export interface Rest {
  readonly afterMs: number;
  /** Empty = at rest. */
  readonly missing: readonly string[];
}

/** Waits until the fleet is at rest, `withinMs` at most. */
export async function untilAtRest(
  stage: Stage,
  fleet: ChaosFleet,
  records: number,
  withinMs: number,
  clock: Clock,
): Promise<Rest> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    const missing = await unrest(stage, fleet, records).catch((error: unknown) => [errorMessage(error)]);
    const afterMs = clock.monotonicMs() - startedMs;
    if (missing.length === 0 || afterMs > withinMs) return { afterMs, missing };
    await clock.sleep(LOOK_MS);
  }
}

async function unrest(stage: Stage, fleet: ChaosFleet, records: number): Promise<string[]> {
  const [counts, leases] = await Promise.all([stage.observer.counts(), stage.stores.leases.readAll()]);
  const prefixes = fleet.workerIdPrefixes();
  const left = records - counts.records;
  return [
    ...(left > 0 ? [`${left} of ${records} records are not counted`] : []),
    ...(leases.length === 0 ? ['there are no lease rows'] : []),
    ...leases.filter((lease) => !isFinished(lease)).flatMap((lease) => faultOf(lease, prefixes)),
  ];
}

/** A shard that is closed has children; when all of its records are counted it must be finished. */
function faultOf(lease: Lease, prefixes: readonly string[]): string[] {
  const { shardId, owner, checkpointOwner, children } = lease;
  if (children.length > 0) return [`${shardId} has children and is not finished`];
  if (checkpointOwner !== undefined) return [`${shardId} is being handed over from ${checkpointOwner} to ${owner}`];
  if (owner === undefined) return [`${shardId} is free`];
  return prefixes.some((prefix) => owner.startsWith(prefix)) ? [] : [`${shardId} is held by ${owner}, which is gone`];
}
