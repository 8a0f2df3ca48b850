/**
 * A tick that can come early: hints of many senders become one look, and looks stay a minimum apart.
 */
import type { Clock } from '../runtime/clock.ts';

export class Wakeup {
  readonly #clock: Clock;
  readonly #minGapMs: number;
  #asked: boolean = false;
  #wake = new AbortController();

  constructor(clock: Clock, minGapMs: number) {
    this.#clock = clock;
    this.#minGapMs = minGapMs;
  }

  /** Ends the wait that is on, or the next one at once. */
  now(): void {
    this.#asked = true;
    this.#wake.abort();
  }

  /** Resolves after `ms`, or earlier when asked, but never before the minimum gap; at once when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.min(ms, this.#minGapMs), signal);
    if (!this.#asked && !signal.aborted) {
      const wake = new AbortController();
      this.#wake = wake;
      const stop = (): void => wake.abort();
      signal.addEventListener('abort', stop, { once: true });
      await this.#clock.sleep(ms - this.#minGapMs, wake.signal);
      signal.removeEventListener('abort', stop);
    }
    this.#asked = false;
  }
}
