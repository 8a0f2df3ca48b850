/**
 * The end of a worker: SIGTERM lets it drain while it goes on beating (a draining worker that looks dead would have its
 * leases taken), then it leaves the fleet and ends.
 */
import type { WorkerStore } from '../lease/worker-store.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Logger } from '../runtime/logger.ts';
import type { Worker } from './worker.ts';

export interface ShutdownParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stores: { readonly workers: Pick<WorkerStore, 'remove'> };
  readonly shutdownMs: number;
  /** Asks to stop. */
  readonly signal: AbortSignal;
}

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
    const clean = await Promise.race([worker.drain(parts.shutdownMs), failed]);
    logger[clean ? 'info' : 'warn'](clean ? 'drained' : 'leases were left behind');
  }
  const { id } = worker;
  end.abort(new Error('stopped'));
  await work;
  if (id !== undefined) await leaveFleet(id, parts);
}

/** Tidy, not needed: whoever does not leave is found dead. */
async function leaveFleet(id: string, { stores, logger }: ShutdownParts): Promise<void> {
  try {
    await stores.workers.remove(id);
  } catch (error) {
    logger.warn('worker row left behind', { worker: id, ...errorFields(error) });
  }
}
