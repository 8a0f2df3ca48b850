/**
 * Stage 2: raw batch to user records. One Kinesis record is one user record so far; unpacking of aggregated records
 * belongs here and gives sub-sequence numbers. Pure, and copies nothing: the columns are those that were read.
 */
import type { RawBatch } from '../source/raw-batch.ts';
import type { UserRecords } from './user-records.ts';

export function deaggregate(raw: RawBatch): UserRecords {
  return {
    count: raw.count,
    bytes: raw.bytes,
    starts: raw.starts,
    ends: raw.ends,
    positions: { sequenceNumbers: raw.sequenceNumbers, subSequenceNumbers: undefined },
    arrivalsMs: raw.arrivalsMs,
  };
}
