/**
 * Says, once per opening and loudly, that retention has trimmed records that nobody read: the record at which reading
 * was to go on is gone, and what is certainly read does not reach up to what is still kept. Reading goes on at the
 * oldest record left. Of an idle shard the record is gone too, and nothing is lost: its arrival mark tells.
 */
import { isoTime } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ShardSource } from '../source/shard-source.ts';
import type { Trim } from '../source/source-status.ts';
import type { FlowCounts } from './flow-counts.ts';

/** Retention is not exact, and arrival times are stamped by many hosts. */
const SLACK_MS = 60_000;

export interface TrimmedShard {
  readonly source: Pick<ShardSource, 'status'>;
  readonly ledger: { readonly lowestArrivalMs: number };
}

/**
 * Seconds between what was certainly read and the oldest record left; undefined when nothing that was not read is gone.
 * @param readMs everything that arrived before it was read; 0 = nobody knows.
 */
export function trimmedGapMs({ oldestLeftMs, horizonMs }: Trim, readMs: number): number | undefined {
  if (readMs === 0 || horizonMs === undefined) return Math.max(0, readMs === 0 ? 0 : oldestLeftMs - readMs);
  return readMs >= horizonMs + SLACK_MS ? undefined : Math.max(0, oldestLeftMs - readMs);
}

export class Trimming {
  readonly #logger: Logger;
  readonly #counts: Pick<FlowCounts, 'sawTrim'>;
  #seen: Trim | undefined;

  constructor(logger: Logger, counts: Pick<FlowCounts, 'sawTrim'>) {
    this.#logger = logger;
    this.#counts = counts;
  }

  /** Per batch: costs nothing while there is nothing to say. */
  look({ source, ledger }: TrimmedShard): void {
    const { trim } = source.status();
    if (trim === undefined || trim === this.#seen) return;
    this.#seen = trim;
    const readMs = ledger.lowestArrivalMs;
    const gapMs = trimmedGapMs(trim, readMs);
    const fields = { position: trim.after, oldestLeft: isoTime(trim.oldestLeftMs), gapMs };
    if (gapMs === undefined) {
      this.#logger.info('checkpoint is older than retention, and nothing lay between', fields);
      return;
    }
    this.#counts.sawTrim(gapMs);
    this.#logger.error('records trimmed by retention were never read: going on at the oldest left', {
      ...fields,
      readUntil: readMs === 0 ? undefined : isoTime(readMs),
    });
  }
}
