/**
 * Removes what has served its time: rows of dead workers that no lease names any more (until then the row is what tells
 * that they are dead; one that lives after all finds its row gone and registers anew), rows of finished leases that
 * nobody needs, and all rows of an earlier stream of this name once the fleet has gone over to the new one.
 */
import type { Lease } from '../../lease/lease.ts';
import type { WorkerStore } from '../../lease/worker-store.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type FleetView, type FleetWorker, leaseKeyPrefix, leasesByShard } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import type { Reconciler } from '../reconciler.ts';
import { leasesLeftBehind, outlivedLeases } from './finished-leases.ts';

export type RemovalReason = 'finished' | 'recreated';

export interface CleanupOptions {
  readonly workers: Pick<WorkerStore, 'remove'>;
  readonly logger: Logger;
  /** Told of each lease row that was removed. */
  readonly onRemoved: (reason: RemovalReason) => void;
}

const WRITES_AT_ONCE = 8;

export function createCleanup({ workers, logger, onRemoved }: CleanupOptions): Reconciler {
  /** Ids are never used again, so once is enough, whatever an older picture says. */
  const removed = new Set<string>();

  async function removeLeases(
    view: FleetView,
    leases: readonly Lease[],
    reason: RemovalReason,
    signal: AbortSignal,
  ): Promise<void> {
    await inParallel(leases, WRITES_AT_ONCE, async (lease) => {
      if (signal.aborted || !(await view.leases.remove(lease))) return;
      logger.info('lease removed', { leaseKey: lease.key, generation: lease.generation, why: reason });
      onRemoved(reason);
    });
  }

  async function removeWorker({ id, dead }: FleetWorker): Promise<void> {
    await workers.remove(id);
    removed.add(id);
    logger.info('dead worker removed', { worker: id, why: dead });
  }

  function deadWorkers(view: FleetView): FleetWorker[] {
    const named = new Set(view.leases.all().flatMap((lease) => [lease.owner, lease.checkpointOwner]));
    const registered = new Set(view.fleet?.workers);
    return [...(view.workers?.values() ?? [])].filter(
      (worker) =>
        worker.dead !== undefined &&
        !named.has(worker.id) &&
        !removed.has(worker.id) &&
        (worker.row || registered.has(worker.id)),
    );
  }

  return {
    name: 'cleanup',
    async reconcile(view, signal) {
      const { fleet, leases, listing, workers: seen } = view;
      if (!leases.isComplete()) return;
      if (listing) await removeLeases(view, outlivedLeases(leasesByShard(view), listing.gone), 'finished', signal);
      if (fleet?.previousCreationEpochSeconds !== undefined) {
        await removeLeases(view, leasesLeftBehind(leases.all(), leaseKeyPrefix(fleet)), 'recreated', signal);
      }
      if (!seen) return;
      await inParallel(deadWorkers(view), WRITES_AT_ONCE, async (worker) => {
        if (!signal.aborted) await removeWorker(worker);
      });
    },
  };
}
