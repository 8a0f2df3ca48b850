/**
 * Turns what happens to leases and shards into events on the Deployment: leases that were taken from workers that
 * died, and shards that have had no owner for long although their turn has come.
 */
import type { Lease } from '../../lease/lease.ts';
import { isFinished } from '../../lease/lease.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type FleetView, leasesByShard } from '../fleet-view.ts';
import { unfinishedParents } from '../lineage.ts';
import type { Reconciler } from '../reconciler.ts';
import type { DeploymentEvents } from './deployment-events.ts';

export interface FleetNewsOptions {
  readonly events: Pick<DeploymentEvents, 'mayReport' | 'report'>;
  readonly clock: Clock;
}

export interface FleetNews extends Reconciler {
  tookLease(worker: string, reason: string): void;
}

/** A shard without an owner for this long is stalled: failover takes a second, a new fleet half a minute. */
const STALLED_MS = 60_000;
const LOOK_MS = 5_000;
const NAMED = 3;

export function createFleetNews({ events, clock }: FleetNewsOptions): FleetNews {
  let lost = new Map<string, { leases: number; readonly reason: string }>();
  const freeSinceMs = new Map<string, number>();
  let lookedMs = Number.NEGATIVE_INFINITY;

  async function reportLost(signal: AbortSignal): Promise<void> {
    if (lost.size === 0 || !events.mayReport('LeasesLost')) return;
    const told = lost;
    lost = new Map();
    const workers = [...told].map(([id, { leases, reason }]) => `${leases} of ${id} (${reason})`);
    try {
      await events.report('LeasesLost', `leases taken from workers that died: ${some(workers)}`, signal);
    } catch (error) {
      // What nobody was told is told next time; what happened since is added to it.
      for (const [id, entry] of lost) told.set(id, { ...entry, leases: entry.leases + (told.get(id)?.leases ?? 0) });
      lost = told;
      throw error;
    }
  }

  function stalled(view: FleetView): string[] {
    const nowMs = clock.monotonicMs();
    const leases = leasesByShard(view);
    const free = new Set([...leases.values()].filter((lease) => isFree(lease, leases, view)).map((one) => one.shardId));
    for (const id of freeSinceMs.keys()) if (!free.has(id)) freeSinceMs.delete(id);
    for (const id of free) if (!freeSinceMs.has(id)) freeSinceMs.set(id, nowMs);
    return [...freeSinceMs].flatMap(([id, sinceMs]) => (nowMs - sinceMs >= STALLED_MS ? [id] : []));
  }

  async function reportStalled(view: FleetView, signal: AbortSignal): Promise<void> {
    if (!view.leases.isComplete() || clock.monotonicMs() - lookedMs < LOOK_MS) return;
    lookedMs = clock.monotonicMs();
    const shards = stalled(view);
    if (shards.length === 0 || !events.mayReport('ShardsStalled')) return;
    const message = `shards without a worker for a minute or longer: ${some(shards)}`;
    await events.report('ShardsStalled', message, signal);
  }

  return {
    name: 'fleet-news',
    tookLease(worker, reason) {
      const entry = lost.get(worker);
      if (entry) entry.leases++;
      else lost.set(worker, { leases: 1, reason });
    },
    async reconcile(view, signal) {
      await reportLost(signal);
      await reportStalled(view, signal);
    },
  };
}

function isFree(lease: Lease, leases: ReadonlyMap<string, Lease>, view: FleetView): boolean {
  return lease.owner === undefined && !isFinished(lease) && unfinishedParents(lease, leases, view.listing).length === 0;
}

function some(texts: readonly string[]): string {
  const rest = texts.length - NAMED;
  return [...texts.slice(0, NAMED), ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}
