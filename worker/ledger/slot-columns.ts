/**
 * The records of one part for one slot, in the form a commit carries them: first copies to be judged, further copies
 * that are duplicates without a question, and the members of uniques that need to go. Made once per commit; a second
 * attempt (other layouts) uses the same columns again.
 */
import type { FirstCopies, PositionColumn, UniqueMembers } from '../../ledger/ledger.ts';
import type { IdentifiedBatch, UniqueColumn } from '../pipeline/identified-batch.ts';
import { NONE } from '../pipeline/identified-batch.ts';
import type { IdTable } from './id-table.ts';
import { MemberMemory } from './member-memory.ts';

export interface SlotColumns {
  readonly first: FirstCopies;
  readonly further: PositionColumn;
  /** Indexes of the further copies in the batch. */
  readonly furtherIndexes: Uint32Array;
  readonly classes: readonly (readonly string[])[];
  readonly rejected: number;
  readonly uniques: readonly UniqueMembers[];
}

/** What a slot remembers of the members it sent, by unique. */
export type MemberMemories = Map<string, MemberMemory>;

export function slotColumns(
  batch: IdentifiedBatch,
  indexes: Uint32Array,
  rejected: number,
  table: IdTable,
  memories: MemberMemories,
): SlotColumns {
  const { firstIndexes, furtherIndexes } = splitCopies(batch.ids, indexes, table);
  const positions = batch.records.positions;
  return {
    first: {
      positions: pickPositions(positions, firstIndexes),
      ids: pickNumbers(batch.ids, firstIndexes),
      bucketKeys: pickNumbers(batch.bucketKeys, firstIndexes),
      classes: pickClasses(batch.classes, firstIndexes),
    },
    further: pickPositions(positions, furtherIndexes),
    furtherIndexes,
    classes: batch.classCounters,
    rejected,
    uniques: batch.uniques.flatMap((unique) => newMembers(unique, indexes, memories)),
  };
}

function splitCopies(
  ids: Float64Array,
  indexes: Uint32Array,
  table: IdTable,
): { readonly firstIndexes: Uint32Array; readonly furtherIndexes: Uint32Array } {
  const firstIndexes = new Uint32Array(indexes.length);
  let firsts = 0;
  const further: number[] = [];
  table.begin(indexes.length);
  for (const index of indexes) {
    if (table.add(ids[index]!)) firstIndexes[firsts++] = index;
    else further.push(index);
  }
  return { firstIndexes: firstIndexes.subarray(0, firsts), furtherIndexes: Uint32Array.from(further) };
}

function pickPositions(column: PositionColumn, indexes: Uint32Array): PositionColumn {
  const sequenceNumbers = new Array<string>(indexes.length);
  for (let i = 0; i < indexes.length; i++) sequenceNumbers[i] = column.sequenceNumbers[indexes[i]!]!;
  const sub = column.subSequenceNumbers;
  return { sequenceNumbers, subSequenceNumbers: sub && Uint32Array.from(indexes, (index) => sub[index]!) };
}

function pickNumbers(column: Float64Array, indexes: Uint32Array): Float64Array {
  const picked = new Float64Array(indexes.length);
  for (let i = 0; i < indexes.length; i++) picked[i] = column[indexes[i]!]!;
  return picked;
}

function pickClasses(column: Uint16Array, indexes: Uint32Array): Uint16Array {
  const picked = new Uint16Array(indexes.length);
  for (let i = 0; i < indexes.length; i++) picked[i] = column[indexes[i]!]!;
  return picked;
}

/** Members not sent since the open, grouped by set. All records count, duplicates too. */
function newMembers(column: UniqueColumn, indexes: Uint32Array, memories: MemberMemories): UniqueMembers[] {
  const { unique, isApproximate = false, members, sets, setNames, counters } = column;
  const memory = memoryOf(memories, unique);
  memory.begin(indexes.length);
  const numbers = new Uint16Array(setNames.length);
  const sizes = new Uint32Array(setNames.length);
  const fresh = new Uint32Array(indexes.length);
  let count = 0;
  for (const index of indexes) {
    const set = sets[index]!;
    if (set === NONE) continue;
    if (numbers[set] === 0) numbers[set] = memory.numberOf(setNames[set]!);
    if (!memory.add(numbers[set]!, members, 8 * index)) continue;
    fresh[count++] = index;
    sizes[set]! += 1;
  }
  const groups = new Map<number, { readonly bytes: Uint8Array; filled: number }>();
  for (let i = 0; i < count; i++) {
    const index = fresh[i]!;
    const set = sets[index]!;
    let group = groups.get(set);
    if (!group) {
      group = { bytes: new Uint8Array(8 * sizes[set]!), filled: 0 };
      groups.set(set, group);
    }
    for (let byte = 0; byte < 8; byte++) group.bytes[group.filled++] = members[8 * index + byte]!;
  }
  return [...groups].map(([set, { bytes }]) => ({
    unique,
    set: setNames[set]!,
    counter: counters[set]!,
    isApproximate,
    members: bytes,
  }));
}

function memoryOf(memories: MemberMemories, unique: string): MemberMemory {
  let memory = memories.get(unique);
  if (!memory) {
    memory = new MemberMemory();
    memories.set(unique, memory);
  }
  return memory;
}
