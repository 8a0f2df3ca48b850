/**
 * A heal as one can see it: that it began and why, that it is over and how long it took, and that it cannot go on. What
 * retention has trimmed cannot be read again, so a heal that meets such a gap halts: an operator says whether to count
 * what is left. Where nothing but the start itself is gone, as of an idle shard, there is no gap.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Judged } from '../ledger/judged.ts';
import type { ShardLedger } from '../ledger/shard-ledger.ts';
import { LedgerUnfit } from '../ledger/surprise.ts';
import type { ShardSource } from '../source/shard-source.ts';
import type { FlowCounts } from './flow-counts.ts';
import { trimmedGapMs } from './trimming.ts';

interface HealedShard {
  readonly ledger: ShardLedger;
  readonly source: Pick<ShardSource, 'status'>;
}

export class Healing {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counts: Pick<FlowCounts, 'healed'>;
  #sinceMs: number | undefined;
  #records = 0;

  constructor(clock: Clock, logger: Logger, counts: Pick<FlowCounts, 'healed'>) {
    this.#clock = clock;
    this.#logger = logger;
    this.#counts = counts;
  }

  opened({ ledger }: HealedShard): void {
    if (!ledger.isHealing) {
      this.#sinceMs = undefined;
      return;
    }
    this.#sinceMs ??= this.#clock.monotonicMs();
    this.#logger.warn('ledger is behind its checkpoint: healing', {
      lowestRow: ledger.lowestRow,
      from: ledger.readPosition,
      until: ledger.healUntil,
    });
  }

  /** Before a batch is judged. @throws LedgerUnfit */
  requireRetained({ ledger, source }: HealedShard): void {
    const { trim } = source.status();
    if (this.#sinceMs === undefined || ledger.isRewound || trim === undefined) return;
    if (trimmedGapMs(trim, ledger.lowestArrivalMs) === undefined) return;
    throw new LedgerUnfit('LedgerTailNotRetained', { lowestRow: ledger.lowestRow, until: ledger.healUntil });
  }

  judged({ ledger }: HealedShard, { healed }: Judged): void {
    if (this.#sinceMs === undefined) return;
    this.#records += healed;
    this.#counts.healed += healed;
    if (ledger.isHealing) return;
    const tookMs = Math.round(this.#clock.monotonicMs() - this.#sinceMs);
    this.#logger.warn('ledger healed', { tookMs, records: this.#records });
    this.#sinceMs = undefined;
    this.#records = 0;
  }
}
