/**
 * How long a worker may trust its leases: `leaseDurationMs` from the start of its last answered heartbeat, on its own
 * monotonic clock. A controller starts its own count later (it must see the heartbeat first), so a worker has stopped
 * before anybody else may own its shards. The watch speaks up even while a heartbeat hangs.
 */
import type { Clock } from '../runtime/clock.ts';

export class LeaseTrust {
  readonly #clock: Clock;
  readonly #leaseDurationMs: number;
  #untilMs = Number.NEGATIVE_INFINITY;
  /** Was the present trust's end already told, or is there nothing to tell? */
  #told: boolean = true;
  #renewed: () => void = () => undefined;

  constructor(clock: Clock, leaseDurationMs: number) {
    this.#clock = clock;
    this.#leaseDurationMs = leaseDurationMs;
  }

  /** Looks at the clock: true also means that no timer had to fire in time. */
  isTrusted(): boolean {
    return this.#clock.monotonicMs() < this.#untilMs;
  }

  /** @param startedMs monotonic time at which the answered heartbeat was begun. */
  renew(startedMs: number): void {
    this.#untilMs = Math.max(this.#untilMs, startedMs + this.#leaseDurationMs);
    if (!this.isTrusted()) return;
    this.#told = false;
    this.#renewed();
  }

  /** Ends the trust without telling: whoever calls it stops everything by itself. */
  revoke(): void {
    this.#untilMs = Number.NEGATIVE_INFINITY;
    this.#told = true;
  }

  /** Calls `onExpired` each time that trust runs out. Resolves when the signal aborts. */
  async watch(signal: AbortSignal, onExpired: () => void): Promise<void> {
    while (!signal.aborted) {
      if (this.#told) {
        await this.#nextRenewal(signal);
      } else if (this.isTrusted()) {
        await this.#clock.sleep(this.#untilMs - this.#clock.monotonicMs(), signal);
      } else {
        this.#told = true;
        onExpired();
      }
    }
  }

  #nextRenewal(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#renewed = () => undefined;
        resolve();
      };
      this.#renewed = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
