/** How far a batch proves that a shard was read, in arrival time: what the ledger keeps as the row's arrival mark. */
import type { UserRecords } from '../pipeline/user-records.ts';
import type { RawBatch } from '../source/raw-batch.ts';

/**
 * The arrival time before which this shard has nothing left to count, once the batch is settled: that of its newest
 * record, or, at the tip, the moment of Kinesis's answer.
 */
export function arrivalMark(raw: RawBatch, { count, arrivalsMs }: UserRecords): number {
  if (count === 0) return raw.millisBehindLatest === 0 ? raw.answeredAtMs : 0;
  let newest = 0;
  for (let i = 0; i < count; i++) if (arrivalsMs[i]! > newest) newest = arrivalsMs[i]!;
  return newest;
}
