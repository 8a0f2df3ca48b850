/**
 * Exponential back-off with full jitter, and the one retry loop of the project. Randomness is a parameter so that a
 * seeded test can turn it.
 */
import type { Clock } from './clock.ts';
import { FleetError } from './errors.ts';

export type Random = () => number;

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Milliseconds to wait before attempt `attempt` (1 = first retry): uniform in (0, min(max, base * 2^(attempt-1))], at least 1. */
export function backoffMs(options: BackoffOptions, attempt: number, random: Random = Math.random): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(1, Math.round(ceiling * (0.5 + random() / 2)));
}

export interface RetryOptions extends BackoffOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly random?: Random;
  /** Told of every failure that will be retried, with the number of the attempt that failed (1, 2, ...). */
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/** Is this an error after which the same call may succeed later? */
export function isRetryable(error: unknown): boolean {
  return error instanceof FleetError && error.disposition === 'retry';
}

/** Calls until it succeeds, fails for good, or the signal aborts (then throws the signal's reason). */
export async function retry<T>(options: RetryOptions, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    options.signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (!isRetryable(error)) throw error;
      options.onRetry?.(error, attempt);
      await options.clock.sleep(backoffMs(options, attempt, options.random), options.signal);
    }
  }
}
