/**
 * Tells the workers: computes every worker's orders from the lease rows, writes those that changed (always after the
 * lease rows, so that a worker that looks finds what the orders say), and wakes their workers. What is stored is
 * compared once per term and then now and then, so that a write that was lost or late does not stay.
 */
import type { Orders, WorkerStore } from '../../lease/worker-store.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ControllerSignals } from '../../signal/signals.ts';
import { type FleetView, type FleetWorker, healLeases, leasesByShard } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import type { Reconciler } from '../reconciler.ts';
import { ordersOf, ordersText } from './orders-of.ts';

export interface OrdersOptions {
  readonly workers: Pick<WorkerStore, 'readOrders' | 'writeOrders'>;
  readonly signals: Pick<ControllerSignals, 'toWorker'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is stored is read and compared this often. */
  readonly verifyMs: number;
  readonly onWritten: () => void;
}

interface Known {
  readonly text: string;
  readonly version: number;
  readonly verifiedMs: number;
}

const WRITES_AT_ONCE = 32;

export function createOrders({ workers, signals, clock, logger, verifyMs, onWritten }: OrdersOptions): Reconciler {
  const known = new Map<string, Known>();

  /** What the worker has been told; read anew when this process does not know it, or has not looked for long. */
  async function stored(worker: FleetWorker, rowVersion: number): Promise<Known> {
    const own = known.get(worker.id);
    const nowMs = clock.monotonicMs();
    if (own && nowMs - own.verifiedMs < verifyMs) return own;
    if (rowVersion === 0 && !own) return { text: '', version: 0, verifiedMs: nowMs };
    const found: Orders | undefined = await workers.readOrders(worker.id);
    // An orders row that the worker row does not name was never announced: write it again.
    const isAnnounced = found !== undefined && (own !== undefined || found.version === rowVersion);
    const text = isAnnounced ? ordersText(found.orders) : undefined;
    return { text: text ?? '?', version: Math.max(rowVersion, found?.version ?? 0), verifiedMs: nowMs };
  }

  async function tell(worker: FleetWorker, rowVersion: number, orders: Orders['orders']): Promise<void> {
    const before = await stored(worker, rowVersion);
    known.set(worker.id, before);
    const text = ordersText(orders);
    if (text === before.text) return;
    const version = Math.max(before.version, rowVersion) + 1;
    // Until the answer comes nobody knows what is stored.
    known.set(worker.id, { text: '?', version, verifiedMs: clock.monotonicMs() });
    if (!(await workers.writeOrders(worker.id, { version, orders }))) return;
    known.set(worker.id, { text, version, verifiedMs: clock.monotonicMs() });
    onWritten();
    logger.info('orders written', { worker: worker.id, version, orders: orders.length });
    signals.toWorker(worker.id, { kind: 'orders-changed' });
  }

  return {
    name: 'orders',
    async reconcile(view: FleetView, signal) {
      if (!view.leases.isComplete() || !view.workers) return;
      const wanted = ordersOf([...leasesByShard(view).values(), ...healLeases(view)]);
      for (const id of known.keys()) if (!view.workers.has(id)) known.delete(id);
      const living = [...view.workers.values()].filter((worker) => worker.row && worker.dead === undefined);
      await inParallel(living, WRITES_AT_ONCE, async (worker) => {
        if (!worker.row || signal.aborted) return;
        await tell(worker, worker.row.ordersVersion, wanted.get(worker.id) ?? []);
      });
    },
  };
}
