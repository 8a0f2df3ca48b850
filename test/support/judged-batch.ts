/** Judged batches for sinks: records that are fresh, and records that were rejected. */
import { positionOf } from '../../lease/position.ts';
import { FRESH, type Judged, REJECTED } from '../../worker/ledger/judged.ts';
import type { UserRecords } from '../../worker/pipeline/user-records.ts';
import { column } from './ledger-builder.ts';

export type JudgedRecord = string | { readonly rejected: string };

/** Records at positions 1, 2, …; each arrived at 1,000 ms; the reason of a rejected one is `empty`. */
export function judgedOf(...records: readonly JudgedRecord[]): Judged {
  const payloads = records.map((record) => Buffer.from(typeof record === 'string' ? record : record.rejected));
  const ends: number[] = [];
  for (const { length } of payloads) ends.push((ends.at(-1) ?? 0) + length);
  const columns: UserRecords = {
    count: records.length,
    bytes: Buffer.concat(payloads),
    starts: Uint32Array.from(ends, (end, i) => end - payloads[i]!.length),
    ends: Uint32Array.from(ends),
    positions: column(records.map((_, i) => i + 1)),
    arrivalsMs: new Float64Array(records.length).fill(1_000),
  };
  const rejected = records.flatMap((record, index) => (typeof record === 'string' ? [] : [{ index, reason: 'empty' }]));
  return {
    batch: { records: columns, rejected },
    judgements: Uint8Array.from(records, (record) => (typeof record === 'string' ? FRESH : REJECTED)),
    through: positionOf(String(records.length)),
  } as unknown as Judged;
}
