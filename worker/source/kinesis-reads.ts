/**
 * What a source asks of Kinesis, and nothing more: the seam at which tests put a scripted Kinesis. The adapter is
 * sdk-reads.ts. Every call may fail with any error (read-errors.ts tells what to do) and ends when its signal aborts.
 */
import type { ChildShard } from './raw-batch.ts';

/** One answer of GetRecords, as columns over one block of bytes; see RawBatch for their meaning. */
export interface RecordPage {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly sequenceNumbers: readonly string[];
  readonly arrivalsMs: Float64Array;
  readonly millisBehindLatest: number;
  readonly answeredAtMs: number;
  /** Absent at the end of a closed shard (mostly: shard-end.ts). */
  readonly nextShardIterator: string | undefined;
  readonly childShards: readonly ChildShard[];
}

export type IteratorStart =
  | { readonly type: 'TRIM_HORIZON' }
  | { readonly type: 'AT_TIMESTAMP'; readonly timestampMs: number }
  | { readonly type: 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: string };

/** A shard as ListShards shows it. */
export interface ListedShard extends ChildShard {
  /** Decimal text as Kinesis writes it. */
  readonly startingSequenceNumber: string;
  /** Only of a closed shard. */
  readonly endingSequenceNumber: string | undefined;
}

/** What the stream is, as far as a shard's reader cares. */
export interface StreamFacts {
  /** Tells a recreated stream from its predecessor; part of every lease key. */
  readonly creationEpochSeconds: number;
  readonly retentionMs: number;
}

export interface KinesisReads {
  getShardIterator(shardId: string, start: IteratorStart, signal: AbortSignal): Promise<string>;
  /** @param limit 1 to 10,000 records. */
  getRecords(shardIterator: string, limit: number, signal: AbortSignal): Promise<RecordPage>;
  describeStream(signal: AbortSignal): Promise<StreamFacts>;
  /** All pages. */
  listShards(signal: AbortSignal): Promise<readonly ListedShard[]>;
}
