/**
 * A process's life: parts start in order and stop in reverse, SIGTERM and SIGINT become an AbortSignal with a reason,
 * and one deadline bounds the stop. Whatever is not stopped by then is left behind: nothing here may hang a pod.
 */
import type { Clock } from './clock.ts';
import { errorFields, type Logger } from './logger.ts';

export interface Part {
  readonly name: string;
  /** Ends the part; called in reverse order of `add`, at most once. */
  stop(): Promise<void>;
}

export class Lifecycle {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #parts: Part[] = [];
  readonly #stop = new AbortController();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Aborts when the process is asked to stop. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  add(part: Part): void {
    this.#parts.push(part);
  }

  /** Asks the process to stop; the first reason counts. */
  requestStop(reason: string): void {
    if (this.#stop.signal.aborted) return;
    this.#logger.info('stopping', { reason });
    this.#stop.abort(new Error(reason));
  }

  /** Installs the handlers. A second SIGINT ends the process at once. */
  handleSignals(): void {
    process.on('SIGTERM', () => this.requestStop('SIGTERM'));
    process.on('SIGINT', () => {
      if (this.#stop.signal.aborted) process.exit(130);
      this.requestStop('SIGINT');
    });
  }

  /** Stops all parts, newest first, within the deadline. True when all of them ended. */
  async stopAll(deadlineMs: number): Promise<boolean> {
    const deadline = this.#clock.deadline(deadlineMs);
    for (const part of this.#parts.toReversed()) {
      if (!(await this.#stopPart(part, deadline))) return false;
    }
    return true;
  }

  async #stopPart(part: Part, deadline: AbortSignal): Promise<boolean> {
    const late = new Promise<'late'>((resolve) => {
      deadline.addEventListener('abort', () => resolve('late'), { once: true });
      if (deadline.aborted) resolve('late');
    });
    try {
      const outcome = await Promise.race([part.stop(), late]);
      if (outcome !== 'late') return true;
      this.#logger.error('part did not stop in time', { part: part.name });
      return false;
    } catch (error) {
      this.#logger.warn('part stopped with an error', { part: part.name, ...errorFields(error) });
      return true;
    }
  }
}
