/**
 * Stage 6 for records that cannot be processed, and the contract of its adapters. A rejected record needs a receipt
 * like any other, or the checkpoint would stall behind it or step over it.
 *
 * A letter is stored before its record is counted, so that a slot that Redis set back has the letters of all records that
 * it counts; what it does not count is read again.
 *
 * Idempotency: a dead letter's id is (shard, position). A replay stores it again; a store that can tell keeps one, of
 * the other kind readers drop repeats. A receipt covers every position up to `through`. When `stored` is given, the
 * receipt counts only once that is settled (like a commit to slot 0); if the connection goes before that, the consumer
 * opens again and the replay stores it again.
 */
import type { Position } from '../../lease/position.ts';
import type { Stored } from '../ledger/settling.ts';
import type { IdentifiedBatch } from '../pipeline/identified-batch.ts';

/** What was read, before it is counted. */
export interface ReadBatch {
  readonly batch: IdentifiedBatch;
  /** It ends there. */
  readonly through: Position;
}

export interface Receipt {
  readonly through: Position;
  readonly stored: Stored | undefined;
}

/** Told after each call how many letters were stored that were not there yet, and how many older ones made room. */
export type OnStored = (stored: number, dropped: number) => void;

export interface DeadLetterSink {
  /**
   * Stores the batch's rejected records, replayed ones too. Waits, visibly, while the store is away: a dead letter is
   * never skipped. Throws the signal's reason when it aborts first.
   */
  store(shard: string, read: ReadBatch, signal: AbortSignal): Promise<Receipt>;
}
