/**
 * Keeps the cached lease rows true with few reads: a full scan at the beginning of a term, now and then, and after a
 * lost race; at once the rows that a hint named; once per tick those that something waits for (moves under way,
 * unfinished parents), so that everything goes on without hints too.
 */
import { isHandingOff, type LeaseKey } from '../../lease/lease.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type FleetView, leasesByShard } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import { unfinishedParents } from '../lineage.ts';
import type { Reconciler } from '../reconciler.ts';

export interface LeaseRefreshOptions {
  readonly clock: Clock;
  readonly scanMs: number;
  readonly tickMs: number;
}

/** After a lost race the row itself is known; the scan for what else was missed need not come for each of many. */
const DOUBT_SCAN_MS = 2_000;
const READS_PER_TICK = 100;
const READS_AT_ONCE = 16;

export function createLeaseRefresh({ clock, scanMs, tickMs }: LeaseRefreshOptions): Reconciler {
  let scannedMs = Number.NEGATIVE_INFINITY;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let lookedAt = 0;

  /** A bounded part of the waiting rows, another part each time. */
  function nextWaiting(view: FleetView): LeaseKey[] {
    const keys = waitingRows(view);
    if (keys.length <= READS_PER_TICK) return keys;
    lookedAt = (lookedAt + READS_PER_TICK) % keys.length;
    return [...keys.slice(lookedAt), ...keys.slice(0, lookedAt)].slice(0, READS_PER_TICK);
  }

  return {
    name: 'lease-refresh',
    async reconcile(view) {
      const nowMs = clock.monotonicMs();
      const scanDueMs = scannedMs + (view.leases.isDoubtful() ? Math.min(DOUBT_SCAN_MS, scanMs) : scanMs);
      if (nowMs >= scanDueMs) {
        await view.leases.scan();
        scannedMs = nowMs;
      }
      const keys = new Set(view.leases.takeHinted());
      if (nowMs - lookedMs >= tickMs * 0.9) {
        for (const key of nextWaiting(view)) keys.add(key);
        lookedMs = nowMs;
      }
      await inParallel([...keys], READS_AT_ONCE, async (key) => {
        try {
          await view.leases.refresh(key);
        } catch (error) {
          view.leases.hint(key);
          throw error;
        }
      });
    },
  };
}

function waitingRows(view: FleetView): LeaseKey[] {
  const leases = leasesByShard(view);
  const keys = new Set<LeaseKey>();
  for (const lease of leases.values()) {
    if (isHandingOff(lease)) keys.add(lease.key);
    if (lease.owner !== undefined || lease.checkpoint.kind === 'SHARD_END') continue;
    for (const shardId of unfinishedParents(lease, leases, view.listing)) {
      const parent = leases.get(shardId);
      if (parent) keys.add(parent.key);
    }
  }
  return [...keys];
}
