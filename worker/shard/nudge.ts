/** A wait that a hint may cut short. Hints may be lost, so every wait has an end of its own. */
import type { Clock } from '../../runtime/clock.ts';

export class Nudge {
  readonly #clock: Clock;
  #interrupt = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  give(): void {
    this.#interrupt.abort();
    this.#interrupt = new AbortController();
  }

  /** Aborts with the next nudge. Taken before a look, it tells afterwards that the look may be older than the news. */
  next(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** Until nudged since `news` was taken, or `ms` passed, or the signal aborts. */
  wait(ms: number, signal: AbortSignal, news: AbortSignal = this.next()): Promise<void> {
    return this.#clock.sleep(ms, AbortSignal.any([signal, news]));
  }
}
