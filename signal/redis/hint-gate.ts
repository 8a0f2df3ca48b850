/**
 * Lets hints through at a bounded rate: a flood (forged, or a bug elsewhere) must not turn into a flood of reads.
 * What is held back costs its receiver a tick, which every hint may cost anyway.
 */
import type { Clock } from '../../runtime/clock.ts';

/** Enough for a thousand leases that change hands at once. */
const BURST = 1_000;
const HINTS_PER_SECOND = 500;

export class HintGate {
  readonly #clock: Clock;
  #tokens = BURST;
  #filledMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledMs = clock.monotonicMs();
  }

  /** May one more hint pass now? */
  pass(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#filledMs) * HINTS_PER_SECOND) / 1_000);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
