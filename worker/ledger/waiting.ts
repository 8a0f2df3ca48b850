/**
 * Waiting for an outside part that is away, visibly: the call is repeated with jittered back-off until it succeeds or
 * the signal aborts, the shard's flow stands still meanwhile (backpressure), and whoever looks sees that it waits.
 * One object per shard consumer and outside part.
 */
import { type Random, retry } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';

const BACKOFF = { baseMs: 50, maxMs: 2_000 };

export class Waiting {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onWait: (error: unknown) => void;
  #waiting = 0;
  #lastAttemptMs: number;

  /** @param onWait told once per wait, with the failure that began it. */
  constructor(clock: Clock, onWait: (error: unknown) => void = () => undefined, random: Random = Math.random) {
    this.#clock = clock;
    this.#onWait = onWait;
    this.#random = random;
    this.#lastAttemptMs = clock.monotonicMs();
  }

  /** Has the last attempt of a call under way failed? */
  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  /** Monotonic time of the last attempt: a call that is repeated is progress, one that hangs is not. */
  get lastAttemptMs(): number {
    return this.#lastAttemptMs;
  }

  /** An attempt at what is waited for; beside `patiently` when somebody else makes it. */
  noteAttempt(): void {
    this.#lastAttemptMs = this.#clock.monotonicMs();
  }

  /** Repeats the call while it fails with a retryable error. Throws the signal's reason as soon as it aborts. */
  async patiently<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    let failed: boolean = false;
    const onRetry = (error: unknown): void => {
      if (failed) return;
      failed = true;
      this.#waiting += 1;
      this.#onWait(error);
    };
    const attempt = (): Promise<T> => {
      this.noteAttempt();
      return untilAborted(call(), signal);
    };
    try {
      return await retry({ ...BACKOFF, clock: this.#clock, signal, random: this.#random, onRetry }, attempt);
    } finally {
      if (failed) this.#waiting -= 1;
    }
  }
}

/** The promise's outcome, or the signal's reason thrown as soon as it aborts; the promise's late failure is dropped. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
