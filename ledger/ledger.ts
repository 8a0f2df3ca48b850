/**
 * Port to the ledger: the Redis state in which identities, counts and positions change together. One slot is always
 * the image of its rows. The adapter is ledger/redis; the reference (plain TypeScript, the fake of the tests) is
 * ledger/reference.ts. Answers and their order are those of docs/protocol.md §4. Everything per record is a column.
 */
import type { Position } from '../lease/position.ts';
import { FleetError } from '../runtime/errors.ts';

/** What a ledger is; changing any of it makes a new ledger (see ledger-name.ts), never a mixture. */
export interface LedgerSpec {
  /** `<fleet>.<digest>`; part of every key. */
  readonly name: string;
  readonly slots: number;
  /** Copies that arrive within it are always recognised. */
  readonly horizonMs: number;
  /** Stretch of arrival time whose identities are forgotten together: two horizons. */
  readonly periodMs: number;
  /** What a bucket follows from: the time inside the identity, or other bits of its hash. */
  readonly bucketBy: 'time' | 'hash';
  /** Identities expected per slot in the first period: plans its number of buckets. */
  readonly expectedIdentitiesPerSlot: number;
}

/** What a commit builds on, and what it leaves: a row that reads otherwise refuses it. */
export interface RowMark {
  readonly position: Position;
  /** 16 hex digits, new for every attempt; '-' on a new row. */
  readonly token: string;
}

/** Token of a row that an operator's `rewind` left: what is not retained any more need not be found. */
export const REWOUND = 'rewound';

export interface LedgerRow extends RowMark {
  readonly generation: number;
  /** The last checkpoint known to the row; duplicates noted at or below it are dropped. */
  readonly floor: Position;
  readonly arrivalMs: number;
  readonly watermarkMs: number;
}

/** Number of buckets of a period; undefined = not begun. */
export interface Layout {
  readonly period: number;
  readonly buckets: number | undefined;
}

/** Layout with the number of identities the slot has in that period. */
export interface CountedLayout extends Layout {
  readonly identities: number;
}

/** Positions as columns; sequence numbers are padded to 56 digits; no sub-sequence column = all zero. */
export interface PositionColumn {
  readonly sequenceNumbers: readonly string[];
  readonly subSequenceNumbers: Uint32Array | undefined;
}

/** First copies within the batch, to be judged by the script. Columns of equal length, in position order. */
export interface FirstCopies {
  readonly positions: PositionColumn;
  /** The 52 bits kept of each identity: integers below 2^52. */
  readonly ids: Float64Array;
  /** Milliseconds since 1970 of the identity's time (bucketBy time), or other hash bits as an integer (bucketBy hash). */
  readonly bucketKeys: Float64Array;
  /** Index into `classes` of the commit. */
  readonly classes: Uint16Array;
}

/** Members of one unique's set: 8 bytes each, distinct within the commit. */
export interface UniqueMembers {
  readonly unique: string;
  /** '0'–'15' for a plain unique ('0' alone if it is approximate), the value for a unique per value: names the set. */
  readonly set: string;
  /** Counter that is raised by the number of members that were new; set to the estimate if it is approximate. */
  readonly counter: string;
  /** Default: exact. */
  readonly isApproximate?: boolean;
  readonly members: Uint8Array;
}

/** One batch of one shard for one slot. A retry of an unanswered attempt passes the very same object. */
export interface CommitRequest {
  readonly shard: string;
  readonly slot: number;
  readonly generation: number;
  readonly from: RowMark;
  readonly to: RowMark;
  readonly floor: Position;
  readonly arrivalMs: number;
  readonly watermarkMs: number;
  /** Layouts relied on: the batch's own period first, then the neighbours that are to be looked up. */
  readonly layouts: readonly Layout[];
  /** Number of buckets to begin the batch's own period with, when it has not begun. */
  readonly newBuckets: number;
  readonly first: FirstCopies;
  /** Further copies of identities within the batch: duplicates without a question, noted for replay. */
  readonly further: PositionColumn;
  /** Counters that a fresh record of a class raises by one. */
  readonly classes: readonly (readonly string[])[];
  /** Records without identity: raise `undecodable`. Slot 0 only. */
  readonly rejected: number;
  readonly uniques: readonly UniqueMembers[];
}

/** A commit without records: moves the row, or (to = from) only proves that it is still ours. */
export interface AdvanceRequest {
  readonly shard: string;
  readonly generation: number;
  readonly from: RowMark;
  readonly to: RowMark;
  readonly floor: Position;
  readonly arrivalMs: number;
  readonly watermarkMs: number;
}

export interface OpenRequest {
  readonly shard: string;
  readonly slot: number;
  readonly generation: number;
  /** Where to create the row when it is absent; undefined = it must be there. */
  readonly start: Position | undefined;
}

export type OpenAnswer =
  | {
      readonly kind: 'opened';
      readonly row: LedgerRow;
      /** Positions above the floor that were judged duplicate, ascending. */
      readonly duplicates: readonly Position[];
      readonly layouts: readonly CountedLayout[];
      /** Of the row until now; undefined = it is new. */
      readonly previousGeneration: number | undefined;
    }
  | { readonly kind: 'fenced'; readonly generation: number }
  | { readonly kind: 'missing' };

export type Refusal =
  | { readonly kind: 'stale'; readonly row: LedgerRow | undefined }
  | { readonly kind: 'fenced'; readonly generation: number };

export type CommitAnswer =
  /** ok: applied now; applied: an earlier attempt with this token was. Every other record of the batch is fresh. */
  | { readonly kind: 'ok' | 'applied'; readonly duplicates: readonly Position[] }
  | Refusal
  /** Regroup with these, and a new token. Nothing changed. */
  | { readonly kind: 'layout'; readonly layouts: readonly CountedLayout[] };

export type AdvanceAnswer = { readonly kind: 'ok' | 'applied' } | Refusal;

/** The connection an answer came on; another number = there was a reconnect, and settling starts anew. */
export interface OnConnection {
  readonly connection: number;
}

export interface Ledger {
  open(request: OpenRequest): Promise<OpenAnswer & OnConnection>;
  commit(request: CommitRequest): Promise<CommitAnswer & OnConnection>;
  /** All shards of a worker in one call per slot; answers in the order of the requests. */
  advance(
    slot: number,
    requests: readonly AdvanceRequest[],
  ): Promise<{ readonly answers: readonly AdvanceAnswer[] } & OnConnection>;
}

/** Counters by name, summed over slots. Names are made by counter-names.ts. */
export type LedgerTotals = ReadonlyMap<string, number>;

export interface LedgerReader {
  /** One read per slot; each slot's figures are from one moment. */
  totals(): Promise<LedgerTotals>;
  /** Every shard's row in a slot. */
  rows(slot: number): Promise<ReadonlyMap<string, LedgerRow>>;
}

/** What an operator did to the ledger: kept beside it, for those who wonder about its counts. */
export interface LedgerEvent {
  readonly atMs: number;
  readonly what: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

export interface LedgerEvents {
  note(event: LedgerEvent): Promise<void>;
  /** The newest hundred, oldest first. */
  list(): Promise<readonly LedgerEvent[]>;
}

/** Beyond a horizon: arrival times are stamped by many hosts of Kinesis. */
export const FORGET_SLACK_MS = 300_000;
/** Keys that one step of a sweep removes at most: a third of a millisecond. */
export const SWEEP_KEYS = 1_000;

/** The ledger job's own fence: another generation has the slot, or Redis lost it. Open the job again. */
export type JobStale = { readonly kind: 'stale' };

/** What the one ledger job of a fleet may do to a slot. Each call is refused when the slot is not claimed for its generation. */
export interface LedgerJob {
  /** Claims the slot. Gives the first period that is kept, and what there is of periods. */
  openJob(
    slot: number,
    generation: number,
  ): Promise<
    | { readonly kind: 'opened'; readonly low: number; readonly layouts: readonly CountedLayout[] }
    | { readonly kind: 'fenced'; readonly generation: number }
  >;
  /**
   * From now on the period is empty. Held by a shard without a row, or one that may still have copies of its records.
   * @param unfinished lease keys of all shards that are not read to their end.
   */
  forget(
    slot: number,
    generation: number,
    period: number,
    unfinished: readonly string[],
  ): Promise<{ readonly kind: 'ok' } | { readonly kind: 'held'; readonly shard: string } | JobStale>;
  /** Removes buckets [from, from + SWEEP_KEYS) of a forgotten period; with the last of them its layout. */
  sweep(
    slot: number,
    generation: number,
    layout: { readonly period: number; readonly buckets: number },
    from: number,
  ): Promise<{ readonly kind: 'ok' } | JobStale>;
  /** Removes rows of shards that exist no more. */
  dropRows(slot: number, generation: number, shards: readonly string[]): Promise<{ readonly kind: 'ok' } | JobStale>;
}

/** Redis could not be asked or did not answer. What was asked may have happened: send the same bytes again. */
export class LedgerUnavailable extends FleetError {
  constructor(reason: string, cause: unknown) {
    super(`the ledger's Redis did not answer: ${reason}`, {
      code: 'LedgerUnavailable',
      disposition: 'retry',
      cause,
      fields: { reason },
    });
    this.name = 'LedgerUnavailable';
  }
}
