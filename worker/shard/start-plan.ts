/**
 * Where a shard begins to read: at the smaller of its checkpoint and its rows. Pure. A row behind the checkpoint means
 * that Redis lost a longer tail than settling allows for: what lies between is read again and counted where it is
 * missing (heal). Nothing is healed that was never meant to be counted: what came before the ledger began, or what an
 * operator's reset skipped.
 */

import { parseCheckpointText } from '../../lease/checkpoint-text.ts';
import type { Lease } from '../../lease/lease.ts';
import { type Checkpoint, checkpointPosition, END, maxPosition, type Position, START } from '../../lease/position.ts';
import type { SourceStart } from '../source/shard-source.ts';

/** What the open rows say, all slots together. */
export interface RowsSeen {
  readonly lowestRow: Position;
  readonly highestFloor: Position;
  /** Arrival mark of the lowest row. */
  readonly lowestArrivalMs: number;
}

export interface StartPlan {
  readonly start: SourceStart;
  /** Where `start` sorts: records at or below it are not read. */
  readonly from: Position;
  /** Records at or below it are only healed: sinks and windows had them. Undefined = no row is behind. */
  readonly healUntil: Position | undefined;
}

type StartedLease = Pick<Lease, 'checkpoint' | 'ledgerStart' | 'resetFloor'>;

/** Undefined when the checkpoint is none to begin at. */
export function planStart(lease: StartedLease, rows: RowsSeen): StartPlan | undefined {
  const done = doneThrough(lease, rows);
  if (!done) return undefined;
  const checkpoint = checkpointPosition(done);
  if (rows.lowestRow >= checkpoint) return { start: done, from: checkpoint, healUntil: undefined };
  const start = healStart(lease, rows);
  return { start, from: checkpointPosition(start), healUntil: checkpoint };
}

/** A finished shard: everything that a row lacks, to its end. */
export function planHeal(lease: StartedLease, rows: RowsSeen): StartPlan {
  if (rows.lowestRow === END) return { start: { kind: 'TRIM_HORIZON' }, from: END, healUntil: undefined };
  const start = healStart(lease, rows);
  return { start, from: checkpointPosition(start), healUntil: END };
}

/**
 * The checkpoint, or the highest floor above it: a checkpoint below a floor means that the lease row was deleted or set
 * back by hand, and what lies below the floor was done. Unless a reset says that it is meant.
 */
function doneThrough({ checkpoint, resetFloor }: StartedLease, { highestFloor }: RowsSeen): SourceStart | undefined {
  if (checkpoint.kind === 'LATEST' || checkpoint.kind === 'SHARD_END') return undefined;
  if (resetFloor || highestFloor <= checkpointPosition(checkpoint) || highestFloor === END) return checkpoint;
  return { kind: 'AFTER', position: highestFloor };
}

function healStart(lease: StartedLease, { lowestRow, lowestArrivalMs }: RowsSeen): SourceStart {
  const begun = beginningOf(lease);
  const { resetFloor } = lease;
  if (resetFloor?.kind === 'AT_TIMESTAMP' && lowestArrivalMs < resetFloor.timestampMs) return resetFloor;
  const skipped = resetFloor?.kind === 'AFTER' ? resetFloor.position : START;
  const lowest = maxPosition(lowestRow, maxPosition(checkpointPosition(begun), skipped));
  return lowest === START ? begun : { kind: 'AFTER', position: lowest };
}

/** A row created at a sentinel is stored as zeros; what the sentinel was stands in the lease. */
function beginningOf({ ledgerStart, checkpoint }: StartedLease): SourceStart {
  const begun: Checkpoint = (ledgerStart === undefined ? undefined : parseCheckpointText(ledgerStart)) ?? checkpoint;
  if (begun.kind === 'LATEST' || begun.kind === 'SHARD_END' || (ledgerStart === undefined && begun.kind === 'AFTER')) {
    return { kind: 'TRIM_HORIZON' };
  }
  return begun;
}
