/**
 * Stage 6 for records that were judged fresh: a sink that takes them as they come (another stream, a queue; files have a
 * contract of their own), and the contract of its adapters.
 *
 * At least once: a record's id is (shard, position), and whoever reads behind the sink drops repeats by it. A replay
 * delivers again what lies above the checkpoint, with the same judgement; after a clean handoff the next owner leaves
 * out what the old one says it had delivered. The checkpoint never passes a record that is not delivered.
 */
import type { LeaseKey } from '../../lease/lease.ts';
import type { Judged } from '../ledger/judged.ts';

export interface StreamingSink {
  /**
   * Delivers the records of the batch from index `from` on that are judged FRESH, replayed ones too, in their order.
   * Resolves when they are kept for good. Waits while the other side is away; throws the signal's reason when it aborts.
   */
  deliver(shard: LeaseKey, judged: Judged, from: number, signal: AbortSignal): Promise<void>;
}
