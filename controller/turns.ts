/**
 * Gives each reconciler its turns: in order, never two of the same at once, and never longer than a turn may take.
 * One that hangs is left behind and skipped until it ends; the others go on.
 */
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Logger } from '../runtime/logger.ts';
import type { FleetView } from './fleet-view.ts';
import type { Reconciler } from './reconciler.ts';

export interface TurnsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly turnMs: number;
  readonly onEnd: (reconciler: string, tookMs: number) => void;
  readonly onError: (reconciler: string, error: unknown) => void;
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #running = new Set<string>();
  readonly #failing = new Set<string>();

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** False when a store did not answer, or the turn was not over in time. Never throws. */
  async take(reconciler: Reconciler, view: FleetView, term: AbortSignal): Promise<boolean> {
    if (this.#running.has(reconciler.name)) return false;
    const { clock, turnMs } = this.#options;
    const over = new AbortController();
    const deadline = clock.deadline(turnMs, AbortSignal.any([term, over.signal]));
    this.#running.add(reconciler.name);
    const turn = this.#run(reconciler, view, deadline).finally(() => this.#running.delete(reconciler.name));
    const late = new Promise<boolean>((resolve) => {
      deadline.addEventListener('abort', () => resolve(false), { once: true });
    });
    const isFine = await Promise.race([turn, late]);
    over.abort();
    return isFine;
  }

  async #run(reconciler: Reconciler, view: FleetView, signal: AbortSignal): Promise<boolean> {
    const { clock, logger, onEnd, onError } = this.#options;
    const startedMs = clock.monotonicMs();
    const { name } = reconciler;
    try {
      await reconciler.reconcile(view, signal);
      if (this.#failing.delete(name)) logger.info('reconciler works again', { reconciler: name });
      return true;
    } catch (error) {
      if (!this.#failing.has(name)) logger.warn('reconciler failed', { reconciler: name, ...errorFields(error) });
      this.#failing.add(name);
      onError(name, error);
      return false;
    } finally {
      onEnd(name, clock.monotonicMs() - startedMs);
    }
  }
}
