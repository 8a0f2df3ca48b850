/**
 * Stage 2: raw batch to user records. A plain record is one user record; an aggregated one is unpacked, and each user
 * record has the record's sequence number and its own place in it (from 0) as sub-sequence number. Pure, and copies no
 * payload: a batch without aggregates passes as it was read. What aggregates unfold to is cut into batches of bounded
 * size, however many user records a few bytes hold.
 */
import { type Position, subSequenceNumberOf } from '../../lease/position.ts';
import type { RawBatch } from '../source/raw-batch.ts';
import { hasMagic } from './aggregate-reader.ts';
import type { HashRange } from './hash-range.ts';
import { Unpacking } from './unpacking.ts';
import type { UserRecords } from './user-records.ts';

/** Of a Kinesis record that is new as a whole. */
const NOTHING_DONE = -1;

/**
 * @param after user records at or below it are left out: a source that begins inside an aggregate reads all of it again.
 * @param ownRange user records of aggregates outside of it are left out; undefined = none is.
 * @returns batches in the order of the shard, at least one; only a single one may be empty. To be taken one by one.
 */
export function* deaggregate(
  raw: RawBatch,
  after: Position,
  ownRange?: HashRange,
): Generator<UserRecords, void, undefined> {
  if (!hasAggregate(raw)) {
    yield plainRecords(raw, after);
    return;
  }
  const unpacking = new Unpacking(raw, ownRange);
  for (let i = 0; i < raw.count; i++) {
    unpacking.begin(i, lastDone(raw.sequenceNumbers[i]!, after) + 1);
    while (!unpacking.fill()) yield unpacking.take();
  }
  yield unpacking.take();
}

function hasAggregate({ count, bytes, starts, ends }: RawBatch): boolean {
  for (let i = 0; i < count; i++) if (hasMagic(bytes, starts[i]!, ends[i]!)) return true;
  return false;
}

/** The columns that were read. A record at `after` is there again only if the source could not tell that it is done. */
function plainRecords(raw: RawBatch, after: Position): UserRecords {
  const { count, bytes, starts, ends, sequenceNumbers, arrivalsMs } = raw;
  let first = 0;
  while (first < count && lastDone(sequenceNumbers[first]!, after) !== NOTHING_DONE) first++;
  return {
    count: count - first,
    bytes,
    starts: first === 0 ? starts : starts.subarray(first),
    ends: first === 0 ? ends : ends.subarray(first),
    positions: {
      sequenceNumbers: first === 0 ? sequenceNumbers : sequenceNumbers.slice(first),
      subSequenceNumbers: undefined,
    },
    arrivalsMs: first === 0 ? arrivalsMs : arrivalsMs.subarray(first),
  };
}

/** The last sub-sequence number of this Kinesis record that is done at `after`. */
function lastDone(sequenceNumber: string, after: Position): number {
  if (sequenceNumber > after) return NOTHING_DONE;
  return after.startsWith(sequenceNumber) ? subSequenceNumberOf(after) : Number.POSITIVE_INFINITY;
}
