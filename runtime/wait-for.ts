/** Waiting at the start for what time may mend, in one line of the log for each reason. */
import { retry } from './backoff.ts';
import type { Clock } from './clock.ts';
import { errorName } from './errors.ts';
import { errorFields, type Logger } from './logger.ts';

export interface WaitOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Told what it waits for, undefined when it goes on: for the readiness page. */
  readonly onWait?: (what: string | undefined) => void;
}

const BACKOFF = { baseMs: 200, maxMs: 5_000 };

/** Calls until it succeeds. Throws what only a person can mend, and the signal's reason when it aborts. */
export async function waitFor<T>(what: string, options: WaitOptions, call: () => Promise<T>): Promise<T> {
  const { clock, logger, signal, onWait } = options;
  let said: string | undefined;
  const onRetry = (error: unknown): void => {
    onWait?.(what);
    if (errorName(error) !== said) logger.warn(`waiting for the ${what}`, errorFields(error));
    said = errorName(error);
  };
  const result = await retry({ ...BACKOFF, clock, signal, onRetry }, call);
  onWait?.(undefined);
  return result;
}
