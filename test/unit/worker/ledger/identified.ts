/** Identified batches for tests: the payload of a record is the number of its identity, or `x` for one without. */
import { type IdentifiedBatch, NONE } from '../../../../worker/pipeline/identified-batch.ts';
import type { UserRecords } from '../../../../worker/pipeline/user-records.ts';
import { column } from '../../../support/ledger-builder.ts';

const CLASSES = [['c:format:V1'], ['c:format:V2']] as const;
/** A multiple of every number of slots used, so that a member's records all lie in one slot. */
const PLAYERS = 12;

/** What a fresh record of an identity raises; its member of the unique, whose slot follows from the identity's. */
export function countersOf(id: number): {
  readonly classCounters: readonly string[];
  readonly member: string;
  readonly uniqueCounter: string;
} {
  return { classCounters: CLASSES[id % 2]!, member: String(id % PLAYERS), uniqueCounter: 'u:players' };
}

export function identify(records: UserRecords, slots: number): IdentifiedBatch {
  const { count, bytes, starts, ends } = records;
  const texts = Array.from({ length: count }, (_, i) => Buffer.from(bytes.subarray(starts[i], ends[i])).toString());
  const numbers = texts.map(Number);
  const members = new Uint8Array(8 * count);
  for (const [i, n] of numbers.entries()) members[8 * i] = n % PLAYERS;
  const isRejected = (i: number): boolean => texts[i] === 'x';
  const rejected = texts.flatMap((text, index) => (text === 'x' ? [{ index, reason: 'empty' }] : []));
  return {
    records,
    slots: Uint16Array.from(numbers, (n, i) => (isRejected(i) ? NONE : n % slots)),
    ids: Float64Array.from(numbers),
    bucketKeys: Float64Array.from(numbers),
    classes: Uint16Array.from(numbers, (n) => n % 2),
    classCounters: CLASSES,
    uniques: [
      {
        unique: 'players',
        members,
        sets: Uint16Array.from(numbers, (_, i) => (isRejected(i) ? NONE : 0)),
        setNames: ['0'],
        counters: ['u:players'],
      },
    ],
    rejected,
    formatCounts: new Map([['V1', count - rejected.length]]),
  };
}

export interface TestRecord {
  readonly at: number;
  readonly id: number | 'x';
  readonly arrivalMs?: number;
}

/** A batch of these records. */
export function batchOf(records: readonly TestRecord[], slots = 1): IdentifiedBatch {
  const payloads = records.map(({ id }) => Buffer.from(String(id)));
  const starts = new Uint32Array(records.length);
  const ends = new Uint32Array(records.length);
  let offset = 0;
  for (const [i, { length }] of payloads.entries()) {
    starts[i] = offset;
    offset += length;
    ends[i] = offset;
  }
  const userRecords = {
    count: records.length,
    bytes: Buffer.concat(payloads),
    starts,
    ends,
    positions: column(records.map(({ at }) => at)),
    arrivalsMs: Float64Array.from(records, ({ arrivalMs }) => arrivalMs ?? 100),
  };
  return identify(userRecords, slots);
}
