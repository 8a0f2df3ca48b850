/**
 * How many shards and workers are in which state, for /metrics. Pure. Every state is there, with 0 when nobody is in
 * it, so that a series does not vanish when the last one leaves.
 */
import { isFinished, isHandingOff, type Lease } from '../lease/lease.ts';
import { type FleetView, leasesByShard } from './fleet-view.ts';
import { unfinishedParents } from './lineage.ts';

export type ShardState = 'free' | 'held' | 'handing' | 'waiting_for_parents' | 'finished';

/** Undefined until all leases are known. */
export function countShards(view: FleetView): Record<ShardState, number> | undefined {
  if (!view.leases.isComplete()) return undefined;
  const counts = { free: 0, held: 0, handing: 0, waiting_for_parents: 0, finished: 0 };
  const leases = leasesByShard(view);
  for (const lease of leases.values()) counts[shardState(lease, leases, view)]++;
  return counts;
}

/** Undefined until the workers were read. */
export function countWorkers(view: FleetView): Record<string, number> | undefined {
  if (!view.workers) return undefined;
  const counts: Record<string, number> = { starting: 0, active: 0, draining: 0, dead: 0 };
  for (const worker of view.workers.values()) {
    const state = worker.dead === undefined ? (worker.row?.state ?? 'dead') : 'dead';
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

function shardState(lease: Lease, leases: ReadonlyMap<string, Lease>, view: FleetView): ShardState {
  if (isFinished(lease)) return 'finished';
  if (isHandingOff(lease)) return 'handing';
  if (lease.owner !== undefined) return 'held';
  return unfinishedParents(lease, leases, view.listing).length > 0 ? 'waiting_for_parents' : 'free';
}
