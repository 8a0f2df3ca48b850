/**
 * Stage 5's output: the ledger's judgement of each record of a batch, as columns beside the batch's own. Counts are of
 * records judged now; what was only read again is counted apart, because it changed nothing.
 */
import type { Position } from '../../lease/position.ts';
import type { IdentifiedBatch } from '../pipeline/identified-batch.ts';

/** Judgements, as they stand in the column. */
export const FRESH = 0;
export const DUPLICATE = 1;
export const REJECTED = 2;

export interface JudgedCounts {
  readonly fresh: number;
  readonly duplicate: number;
  readonly rejected: number;
  /** Records at or below the row's position, whatever their judgement. */
  readonly replayed: number;
}

export interface Judged {
  readonly batch: IdentifiedBatch;
  /** FRESH, DUPLICATE or REJECTED per record. */
  readonly judgements: Uint8Array;
  /** 1 = judged before, by this owner or an earlier one: not counted again. */
  readonly replayed: Uint8Array;
  readonly counts: JudgedCounts;
  /**
   * The first so many records lie at or below the checkpoint: a heal read them again for slots that lost them. Sinks and
   * windows had them, and where they are replayed too, their duplicates are not known any more.
   */
  readonly healed: number;
  /** Every record at or below it is in the ledger. */
  readonly through: Position;
}
