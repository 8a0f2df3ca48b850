/**
 * Stage 2's output: user records as columns. A plain Kinesis record is one user record; one of an aggregate has its
 * record's sequence number and a sub-sequence number of its own. Offsets point into the block of bytes that was read:
 * nothing is copied.
 */
import type { PositionColumn } from '../../ledger/ledger.ts';

export interface UserRecords {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly positions: PositionColumn;
  readonly arrivalsMs: Float64Array;
  /** User records of aggregates that were left out, because they belong to another shard; absent = none. */
  readonly outsideRange?: number;
}
