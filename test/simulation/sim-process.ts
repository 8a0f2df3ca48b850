/**
 * One operating system process of the simulation: a clock of its own (a wall clock that is wrong, a monotonic clock that
 * means nothing to others), a stop signal, and what a scheduler may do to it: pause it, or kill it. A paused process
 * hears nothing and its timers wait, while time goes on; a dead one's promises never resolve.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Owner, Schedule } from './schedule.ts';
import { WALL_START_MS } from './settings.ts';

/** Names of processes begin with their kind: w, c, or this. */
export const OPERATOR = 'o';

export class SimProcess implements Owner, Clock {
  readonly name: string;
  isDead: boolean = false;
  /** A paused process hears of it later. */
  isAskedToStop: boolean = false;
  pausedUntilMs = 0;
  /** What SIGTERM aborts. */
  readonly terminated = new AbortController();
  readonly #schedule: Schedule;
  readonly #wallSkewMs: number;
  readonly #monotonicZeroMs: number;
  #strike: { steps: number; readonly act: () => void } | undefined;

  constructor(schedule: Schedule, name: string, wallSkewMs: number, monotonicZeroMs: number) {
    this.#schedule = schedule;
    this.name = name;
    this.#wallSkewMs = wallSkewMs;
    this.#monotonicZeroMs = monotonicZeroMs;
  }

  get isPaused(): boolean {
    return this.pausedUntilMs > this.#schedule.nowMs;
  }

  /** Something will befall it, right at a step of one of its calls: asked, applied or answered. */
  strikeAfter(steps: number, act: () => void): void {
    this.#strike = { steps, act };
  }

  /** A call of this process is asked, applied or answered. */
  step(): void {
    const strike = this.#strike;
    if (!strike || --strike.steps > 0) return;
    this.#strike = undefined;
    strike.act();
  }

  wallMs(): number {
    return WALL_START_MS + this.#schedule.nowMs + this.#wallSkewMs;
  }

  monotonicMs(): number {
    return this.#monotonicZeroMs + this.#schedule.nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        if (entry) entry.run = undefined;
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const entry = Number.isFinite(ms) ? this.#schedule.after(Math.max(0, ms), this, wake) : undefined;
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  deadline(ms: number, parent?: AbortSignal): AbortSignal {
    const controller = new AbortController();
    this.#schedule.after(ms, this, () => controller.abort(new DOMException('the operation timed out', 'TimeoutError')));
    return parent ? AbortSignal.any([parent, controller.signal]) : controller.signal;
  }
}
