/**
 * The end of a worker: SIGTERM lets it drain while it goes on beating (a draining worker that looks dead would have its
 * leases taken), then it leaves the fleet and ends. While it drains it looks whether anybody is there to take its
 * leases: the last worker of a fleet need not wait for nobody.
 */
import type { FleetStore, WorkerStore } from '../lease/worker-store.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Logger } from '../runtime/logger.ts';
import type { WorkerSignals } from '../signal/signals.ts';
import type { Worker } from './worker.ts';

export interface ShutdownParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stores: {
    readonly workers: Pick<WorkerStore, 'readWorkers' | 'remove'>;
    readonly fleet: Pick<FleetStore, 'readFleet'>;
  };
  readonly signals: Pick<WorkerSignals, 'toController'>;
  readonly shutdownMs: number;
  /** Asks to stop. */
  readonly signal: AbortSignal;
}

const LOOK_MS = 1_000;

/** Fails when the worker does. */
export async function runUntilDrained(worker: Worker, parts: ShutdownParts): Promise<void> {
  const { logger, signal } = parts;
  const end = new AbortController();
  const work = worker.run(end.signal);
  const failed = work.then(() => false);
  const asked = new Promise<true>((resolve) => {
    signal.addEventListener('abort', () => resolve(true), { once: true });
    if (signal.aborted) resolve(true);
  });
  if (await Promise.race([asked, failed])) {
    const clean = await Promise.race([drain(worker, parts), failed]);
    logger[clean ? 'info' : 'warn'](clean ? 'drained' : 'leases were left behind');
  }
  end.abort(new Error('stopped'));
  await work;
  // Only now: a registration under way when the stop came is answered.
  if (worker.id !== undefined) await leaveFleet(worker.id, parts);
}

async function drain(worker: Worker, parts: ShutdownParts): Promise<boolean> {
  const drained = new AbortController();
  const alone = new AbortController();
  void watchHeirs(worker, parts, alone, drained.signal);
  const clean = await worker.drain(parts.shutdownMs, alone.signal);
  drained.abort();
  return clean;
}

/** Aborts `alone` when nobody could take the leases; not knowing is no reason. Never fails. */
async function watchHeirs(
  worker: Worker,
  parts: ShutdownParts,
  alone: AbortController,
  drained: AbortSignal,
): Promise<void> {
  const { clock, logger } = parts;
  while (!drained.aborted && !alone.signal.aborted) {
    try {
      if (await hasHeir(worker.id, parts)) await clock.sleep(LOOK_MS, drained);
      else alone.abort();
    } catch (error) {
      if (!drained.aborted) logger.warn('other workers could not be read', errorFields(error));
      await clock.sleep(LOOK_MS, drained);
    }
  }
}

/** A worker that died unnoticed counts, until the controller has removed it. */
async function hasHeir(id: string | undefined, { stores }: ShutdownParts): Promise<boolean> {
  const fleet = await stores.fleet.readFleet();
  if (!fleet) return true;
  const others = await stores.workers.readWorkers(fleet.workers.filter((other) => other !== id));
  return others.some((other) => other.state !== 'draining');
}

/** Tidy, not needed: whoever does not leave is found dead. */
async function leaveFleet(id: string, { stores, signals, logger }: ShutdownParts): Promise<void> {
  try {
    await stores.workers.remove(id);
    signals.toController({ kind: 'worker-changed', workerId: id });
  } catch (error) {
    logger.warn('worker row left behind', { worker: id, ...errorFields(error) });
  }
}
