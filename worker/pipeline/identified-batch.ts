/**
 * Stage 4's output: what the ledger needs to know of each record, as columns. Judging, grouping by slot and finding
 * further copies within the batch is the ledger stage's business (worker/ledger).
 */
import type { UserRecords } from './user-records.ts';

/** Slot of a record without identity, and set of a record that is no member of a unique. */
export const NONE = 0xffff;

/** Members of one unique: record i is member members[8i, 8i+8) of set sets[i]. */
export interface UniqueColumn {
  readonly unique: string;
  /** Default: exact. */
  readonly isApproximate?: boolean;
  readonly members: Uint8Array;
  /** Index into `setNames` and `counters`, or NONE. */
  readonly sets: Uint16Array;
  readonly setNames: readonly string[];
  /** Ledger counter that new members of a set raise. */
  readonly counters: readonly string[];
}

/** A record that cannot be processed: kept as a dead letter with its reason (a closed set of words, a metric label). */
export interface Rejection {
  readonly index: number;
  readonly reason: string;
}

export interface IdentifiedBatch {
  readonly records: UserRecords;
  /** Slot of each record, or NONE when it is rejected. */
  readonly slots: Uint16Array;
  /** 52 bits of the identity's keyed hash. */
  readonly ids: Float64Array;
  /** The identity's time in milliseconds, or further hash bits, as the ledger's `bucketBy` says. */
  readonly bucketKeys: Float64Array;
  /** Index into `classCounters`. */
  readonly classes: Uint16Array;
  /** Ledger counters that a fresh record of each class raises by one. */
  readonly classCounters: readonly (readonly string[])[];
  readonly uniques: readonly UniqueColumn[];
  readonly rejected: readonly Rejection[];
  /** Records per format, by format name, for the worker's metrics. */
  readonly formatCounts: ReadonlyMap<string, number>;
}
