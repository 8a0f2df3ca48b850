/**
 * Stage 1's output: the records of one shard as columns over one block of bytes, in the order of the shard.
 * No object, promise or map entry per record anywhere on the path.
 */

export interface ChildShard {
  readonly shardId: string;
  readonly parentShards: readonly string[];
  readonly startingHashKey: string;
  readonly endingHashKey: string;
}

export interface RawBatch {
  readonly count: number;
  /** Payload of record i = bytes[starts[i], ends[i]). Columns may be longer than `count`. */
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** Padded to 56 digits. */
  readonly sequenceNumbers: readonly string[];
  /** Arrival time of each record, milliseconds since 1970, stamped by Kinesis. */
  readonly arrivalsMs: Float64Array;
  /** The API's own figure of the answer that these records came in. */
  readonly millisBehindLatest: number;
  /** Kinesis's own wall clock (the answer's Date header), milliseconds since 1970. */
  readonly answeredAtMs: number;
  /** The shard is closed and this batch has its last records. */
  readonly isShardEnd: boolean;
  /** Only at a shard end, when Kinesis names them. */
  readonly childShards: readonly ChildShard[];
}
