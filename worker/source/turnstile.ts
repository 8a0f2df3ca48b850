/**
 * Waiting for a change, or for time, or for an abort, whichever comes first. One waiter; a change while nobody waits is
 * kept for the next one, so none is missed between looking and waiting.
 */
import type { Clock } from '../../runtime/clock.ts';

export class Turnstile {
  readonly #clock: Clock;
  #isOpen: boolean;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#isOpen = false;
  }

  /** Lets the waiter go on, or the next one pass. */
  open(): void {
    this.#isOpen = true;
    this.#wake?.();
  }

  /** @param ms may be infinite. */
  async pass(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isOpen && ms > 0 && !signal.aborted) await this.#wait(ms, signal);
    this.#isOpen = false;
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    try {
      if (ms !== Number.POSITIVE_INFINITY) return await this.#clock.sleep(ms, woken.signal);
      await new Promise<void>((resolve) => {
        woken.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      this.#wake = undefined;
      signal.removeEventListener('abort', wake);
    }
  }
}
