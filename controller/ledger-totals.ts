/**
 * Reads the ledger's totals now and then while this controller leads, for /metrics: one answer for the whole fleet.
 * A Redis that is away leaves the last totals out: an old exact figure would look like a standstill.
 */
import type { LedgerReader, LedgerTotals } from '../ledger/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields } from '../runtime/logger.ts';
import type { Conditions } from './conditions.ts';

export interface LedgerTotalsOptions {
  readonly reader: Pick<LedgerReader, 'totals'>;
  readonly clock: Clock;
  readonly conditions: Conditions;
  readonly readMs: number;
  readonly onError: (error: unknown) => void;
}

export class LedgerTotalsWatch {
  readonly #options: LedgerTotalsOptions;
  #totals: LedgerTotals | undefined;

  constructor(options: LedgerTotalsOptions) {
    this.#options = options;
  }

  /** Undefined when they are not known now. */
  current(): LedgerTotals | undefined {
    return this.#totals;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, conditions, onError, reader, readMs } = this.#options;
    while (!signal.aborted) {
      try {
        this.#totals = await reader.totals();
        conditions.clear('LedgerUnreachable');
      } catch (error) {
        this.#totals = undefined;
        conditions.raise('LedgerUnreachable', errorFields(error));
        onError(error);
      }
      await clock.sleep(readMs, signal);
    }
    this.#totals = undefined;
  }
}
