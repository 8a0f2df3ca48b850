/** Requests to the ledger with everything a test does not care about filled in. */

import { type Position, positionOf, START } from '../../lease/position.ts';
import type { AdvanceRequest, CommitRequest, LedgerSpec, PositionColumn, RowMark } from '../../ledger/ledger.ts';

export const SHARD = 'account:stream:1:shardId-000000000000';

/** A period of 2,000 ms and a horizon of 1,000, so that tests can speak of small times. */
export function ledgerSpec(overrides: Partial<LedgerSpec> = {}): LedgerSpec {
  return {
    name: 'fleet.0123456789ab',
    slots: 1,
    horizonMs: 1_000,
    periodMs: 2_000,
    bucketBy: 'time',
    expectedIdentitiesPerSlot: 1_000,
    ...overrides,
  };
}

/** A token of 16 hex digits. */
export function tokenOf(n: number): string {
  return n.toString(16).padStart(16, '0');
}

/** Position n of a shard, as a row mark with a token of its own. */
export function markAt(n: number): RowMark {
  return { position: positionOf(String(n)), token: tokenOf(n) };
}

export const NEW_ROW: RowMark = { position: START, token: '-' };

export function sequenceNumber(n: number): string {
  return positionOf(String(n)).slice(0, 56);
}

export function column(numbers: readonly number[], subSequenceNumbers?: readonly number[]): PositionColumn {
  return {
    sequenceNumbers: numbers.map(sequenceNumber),
    subSequenceNumbers: subSequenceNumbers ? Uint32Array.from(subSequenceNumbers) : undefined,
  };
}

/** A first copy: where it stands, its id, and its bucket key (default: the id). */
export interface Copy {
  readonly at: number;
  readonly id: number;
  readonly bucketKey?: number;
  readonly class?: number;
}

export type CommitFields = Omit<Partial<CommitRequest>, 'first' | 'further'> & {
  readonly copies?: readonly Copy[];
  readonly furtherAt?: readonly number[];
};

/** A commit on a new row, in period 0 which has not begun, whose `to` is the last position named. */
export function commitRequest({ copies = [], furtherAt = [], ...overrides }: CommitFields): CommitRequest {
  const last = Math.max(1, ...copies.map(({ at }) => at), ...furtherAt);
  return {
    shard: SHARD,
    slot: 0,
    generation: 1,
    from: NEW_ROW,
    to: markAt(last),
    floor: START,
    arrivalMs: 100,
    watermarkMs: 90,
    layouts: [{ period: 0, buckets: undefined }],
    newBuckets: 4,
    first: {
      positions: column(copies.map(({ at }) => at)),
      ids: Float64Array.from(copies, ({ id }) => id),
      bucketKeys: Float64Array.from(copies, ({ id, bucketKey }) => bucketKey ?? id),
      classes: Uint16Array.from(copies, (copy) => copy.class ?? 0),
    },
    further: column(furtherAt),
    classes: [['c:kind:a']],
    rejected: 0,
    uniques: [],
    ...overrides,
  };
}

export function advanceRequest(overrides: Partial<AdvanceRequest> = {}): AdvanceRequest {
  return {
    shard: SHARD,
    generation: 1,
    from: NEW_ROW,
    to: markAt(1),
    floor: START,
    arrivalMs: 100,
    watermarkMs: 90,
    ...overrides,
  };
}

export function positions(numbers: readonly number[]): Position[] {
  return numbers.map((n) => positionOf(String(n)));
}
