/**
 * A call that ends: with its answer, its error, or at its deadline, even when whoever carries it out does not look at
 * the signal (the SDK does not while it resolves credentials, for one).
 */
import type { Clock } from '../../runtime/clock.ts';
import { FleetError } from '../../runtime/errors.ts';

/** Throws what the call throws, and FleetError `TimeoutError` (retry) at the deadline or when `parent`, if any, aborts. */
export async function callWithin<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = clock.deadline(ms, parent);
  const pending = call(signal);
  let giveUp: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    giveUp = () => reject(new FleetError('call ran into its deadline', { code: 'TimeoutError', disposition: 'retry' }));
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([pending, late]);
  } catch (error) {
    // The SDK reports our own deadline as "aborted", which says less.
    throw signal.aborted && !(error instanceof FleetError)
      ? new FleetError('call ran into its deadline', { code: 'TimeoutError', disposition: 'retry', cause: error })
      : error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
