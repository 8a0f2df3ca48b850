/**
 * A batch cut into parts that one commit per slot can take: records of one arrival period, no more than a commit may
 * hold; and each part sorted by slot. Pure, columns only.
 */

import { type Position, positionOf } from '../../lease/position.ts';
import { periodOf } from '../../ledger/buckets.ts';
import type { PositionColumn } from '../../ledger/ledger.ts';
import { type IdentifiedBatch, NONE } from '../pipeline/identified-batch.ts';
import type { UserRecords } from '../pipeline/user-records.ts';

/** Records [start, end) of a batch. */
export interface BatchPart {
  readonly start: number;
  readonly end: number;
  readonly period: number;
  /** Earliest and latest arrival within the part. */
  readonly firstArrivalMs: number;
  readonly lastArrivalMs: number;
}

export function cutBatch(records: UserRecords, periodMs: number, maxRecords: number): BatchPart[] {
  const parts: BatchPart[] = [];
  const { arrivalsMs, count } = records;
  for (let start = 0; start < count; ) {
    const period = periodOf(arrivalsMs[start]!, periodMs);
    const limit = Math.min(count, start + maxRecords);
    const [from, until] = [period * periodMs, (period + 1) * periodMs];
    let [firstArrivalMs, lastArrivalMs] = [arrivalsMs[start]!, arrivalsMs[start]!];
    let end = start + 1;
    for (; end < limit; end++) {
      const arrivalMs = arrivalsMs[end]!;
      if (arrivalMs < from || arrivalMs >= until) break;
      if (arrivalMs < firstArrivalMs) firstArrivalMs = arrivalMs;
      if (arrivalMs > lastArrivalMs) lastArrivalMs = arrivalMs;
    }
    parts.push({ start, end, period, firstArrivalMs, lastArrivalMs });
    start = end;
  }
  return parts;
}

/** Indexes of a part's records, ascending, by slot. Rejected records stand apart: they belong to slot 0. */
export interface BySlot {
  readonly slots: readonly Uint32Array[];
  readonly rejected: Uint32Array;
}

export function groupBySlot(batch: IdentifiedBatch, part: BatchPart, slots: number): BySlot {
  const sizes = new Uint32Array(slots + 1);
  for (let i = part.start; i < part.end; i++) sizes[slotOrLast(batch.slots[i]!, slots)]! += 1;
  const groups = Array.from(sizes, (size) => new Uint32Array(size));
  const filled = new Uint32Array(slots + 1);
  for (let i = part.start; i < part.end; i++) {
    const slot = slotOrLast(batch.slots[i]!, slots);
    groups[slot]![filled[slot]!] = i;
    filled[slot]! += 1;
  }
  return { slots: groups.slice(0, slots), rejected: groups[slots]! };
}

function slotOrLast(slot: number, slots: number): number {
  return slot === NONE ? slots : slot;
}

export function positionAt(column: PositionColumn, index: number): Position {
  return positionOf(column.sequenceNumbers[index]!, column.subSequenceNumbers?.[index] ?? 0);
}

/** The first index in [start, end) whose position is above `position`; `end` when there is none. */
export function firstAbove(column: PositionColumn, start: number, end: number, position: Position): number {
  if (start >= end || positionAt(column, start) > position) return start;
  let [low, high] = [start, end];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positionAt(column, middle) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Indexes that are at least `from`, of ascending ones. */
export function indexesFrom(indexes: Uint32Array, from: number): Uint32Array {
  if (indexes.length === 0 || indexes[0]! >= from) return indexes;
  const at = indexes.findIndex((index) => index >= from);
  return at < 0 ? indexes.subarray(indexes.length) : indexes.subarray(at);
}
