/**
 * Keeps the cached lease rows true with few reads: a full scan at the beginning of a term, now and then, and after a
 * lost race; at once the rows that a hint named; once per tick those that something waits for (moves under way,
 * unfinished parents, broken rows that somebody mends), so that everything goes on without hints too.
 */
import { isHandingOff, type LeaseKey } from '../../lease/lease.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Conditions } from '../conditions.ts';
import { type FleetView, leasesByShard } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import { unfinishedParents } from '../lineage.ts';
import type { Reconciler } from '../reconciler.ts';

export interface LeaseRefreshOptions {
  readonly clock: Clock;
  readonly scanMs: number;
  readonly tickMs: number;
  readonly conditions: Conditions;
}

/** After a lost race the row itself is known; the scan for what else was missed need not come for each of many. */
const DOUBT_SCAN_MS = 2_000;
const READS_PER_TICK = 100;
const READS_AT_ONCE = 16;
const BROKEN_SHOWN = 3;

export function createLeaseRefresh({ clock, scanMs, tickMs, conditions }: LeaseRefreshOptions): Reconciler {
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
      showBroken(view, conditions);
    },
  };
}

/** Names some of them: one look at the table shows the rest. */
function showBroken({ leases }: FleetView, conditions: Conditions): void {
  const broken = [...leases.broken().values()];
  const reasons = broken.slice(0, BROKEN_SHOWN).map(({ message }) => message);
  if (reasons.length > 0) conditions.raise('LeaseRowBroken', { rows: broken.length, reasons });
  else conditions.clear('LeaseRowBroken');
}

function waitingRows(view: FleetView): LeaseKey[] {
  const leases = leasesByShard(view);
  // One that was mended goes on at once.
  const keys = new Set<LeaseKey>(view.leases.broken().keys());
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
