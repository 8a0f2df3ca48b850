/**
 * Judgements of a batch as columns while its parts and slots fill them in: what the ledger answered, and what is judged
 * again as before because the slot has it already. Columns only; nothing is sent from here.
 */
import type { Position } from '../../lease/position.ts';
import type { IdentifiedBatch } from '../pipeline/identified-batch.ts';
import { type BySlot, firstAbove, positionAt } from './batch-part.ts';
import { DUPLICATE, FRESH, type JudgedCounts, REJECTED } from './judged.ts';
import type { SlotRow } from './slot-row.ts';

export interface JudgedColumns {
  readonly judgements: Uint8Array;
  readonly replayed: Uint8Array;
}

/** Records before `newFrom` are in the slot's row already: judged as then, nothing is sent. */
export function replay(
  batch: IdentifiedBatch,
  row: Pick<SlotRow, 'notedDuplicates'>,
  slot: number,
  groups: BySlot,
  newFrom: number,
  columns: JudgedColumns,
): void {
  const own = slot === 0 ? [groups.slots[0]!, groups.rejected] : [groups.slots[slot]!];
  for (const indexes of own) {
    for (const index of indexes) {
      if (index >= newFrom) break;
      columns.replayed[index] = 1;
    }
  }
  const start = own.reduce((lowest, indexes) => Math.min(lowest, indexes[0] ?? newFrom), newFrom);
  markDuplicates(batch, row.notedDuplicates, start, newFrom, columns);
}

/** Those of the ascending positions that lie in [start, end). */
export function markDuplicates(
  batch: IdentifiedBatch,
  duplicates: readonly Position[],
  start: number,
  end: number,
  columns: JudgedColumns,
): void {
  if (start >= end || duplicates.length === 0) return;
  const { positions } = batch.records;
  const [first, last] = [positionAt(positions, start), positionAt(positions, end - 1)];
  let from = start;
  for (let i = lowerBound(duplicates, first); i < duplicates.length; i++) {
    const position = duplicates[i]!;
    if (position > last) return;
    from = firstAbove(positions, from, end, position);
    const index = from - 1;
    if (index >= start && positionAt(positions, index) === position) columns.judgements[index] = DUPLICATE;
  }
}

function lowerBound(positions: readonly Position[], position: Position): number {
  let [low, high] = [0, positions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]! < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function countJudged({ judgements, replayed }: JudgedColumns): JudgedCounts {
  const counts = [0, 0, 0];
  let again = 0;
  for (let i = 0; i < judgements.length; i++) {
    if (replayed[i] === 1) again += 1;
    else counts[judgements[i]!]! += 1;
  }
  return { fresh: counts[FRESH]!, duplicate: counts[DUPLICATE]!, rejected: counts[REJECTED]!, replayed: again };
}
