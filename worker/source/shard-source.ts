/**
 * Port of stage 1: where the records of one shard come from. The adapter is polling.ts (fan-out joins later). A source
 * reads ahead, bounded by the process's byte budget; it paces itself, renews iterators and backs off by itself.
 */
import type { Position } from '../../lease/position.ts';
import type { RawBatch } from './raw-batch.ts';
import type { SourceStatus } from './source-status.ts';

/**
 * Never LATEST (anchored when the lease row is created) and never SHARD_END. AFTER a position, the first record may be
 * that position's own again when it is an aggregate: the consumer drops user records at or below the position.
 */
export type SourceStart =
  | { readonly kind: 'TRIM_HORIZON' }
  | { readonly kind: 'AT_TIMESTAMP'; readonly timestampMs: number }
  | { readonly kind: 'AFTER'; readonly position: Position };

export interface ShardSource {
  /**
   * The next records, at most `maxRecords`, as soon as BUFFER_RECORDS are there, or BUFFER_MS after the first of them,
   * or at a shard end; the first ones at once: nobody counted them for a while. After at most a second it answers in any case, with an empty batch, so that the loop turns.
   * Before Kinesis has answered at all, such a batch has answeredAtMs 0 and an infinite millisBehindLatest.
   * Once the signal aborts, a last batch of what was read already, or undefined; then always undefined: who leaves a
   * shard counts what it has, and the next owner need not. Throws ShardGone once the stream has
   * the shard no more and all that was read of it was handed out; else FleetError: release (this shard cannot be read
   * here) or fatal.
   */
  next(signal: AbortSignal): Promise<RawBatch | undefined>;
  /**
   * Gives the batch's bytes back to the budget; call once, when nothing will look at `bytes` again: the memory of a
   * large block is returned with the last batch cut from it, and views of it are empty then.
   */
  release(batch: RawBatch): void;
  status(): SourceStatus;
  /** Drops what was read ahead, gives all bytes back and ends calls under way; `next` then answers undefined. */
  close(): void;
}

/**
 * @param creationEpochSeconds of the stream that the lease is for: of another one nothing is read. Absent = the lease
 * does not say.
 */
export type OpenSource = (shardId: string, start: SourceStart, creationEpochSeconds?: number) => ShardSource;
