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

  /** Until nudged, or `ms` passed, or the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, AbortSignal.any([signal, this.#interrupt.signal]));
  }
}
