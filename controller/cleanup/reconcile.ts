/**
 * Removes the rows of dead workers, when no lease names them any more: until then the row is what tells that they are
 * dead. One that lives after all finds its row gone and registers anew.
 */
import type { WorkerStore } from '../../lease/worker-store.ts';
import type { Logger } from '../../runtime/logger.ts';
import { inParallel } from '../in-parallel.ts';
import type { Reconciler } from '../reconciler.ts';

export interface CleanupOptions {
  readonly workers: Pick<WorkerStore, 'remove'>;
  readonly logger: Logger;
}

const WRITES_AT_ONCE = 8;

export function createCleanup({ workers, logger }: CleanupOptions): Reconciler {
  /** Ids are never used again, so once is enough, whatever an older picture says. */
  const removed = new Set<string>();
  return {
    name: 'cleanup',
    async reconcile(view, signal) {
      if (!view.leases.isComplete() || !view.workers) return;
      const named = new Set(view.leases.all().flatMap((lease) => [lease.owner, lease.checkpointOwner]));
      const registered = new Set(view.fleet?.workers);
      const left = [...view.workers.values()].filter(
        (worker) =>
          worker.dead !== undefined &&
          !named.has(worker.id) &&
          !removed.has(worker.id) &&
          (worker.row || registered.has(worker.id)),
      );
      await inParallel(left, WRITES_AT_ONCE, async (worker) => {
        if (signal.aborted) return;
        await workers.remove(worker.id);
        removed.add(worker.id);
        logger.info('dead worker removed', { worker: worker.id, why: worker.dead });
      });
    },
  };
}
