/**
 * Where an identity is remembered: the period of its record's arrival, and the bucket within the period. Pure.
 * A bucket follows from the identity alone (its time, or other bits of its hash), so every copy finds the same one.
 * Buckets are planned for 250 members: above 512 Redis gives up the compact form of a set of integers.
 */
import { FORGET_SLACK_MS, type LedgerSpec } from './ledger.ts';

const IDENTITIES_PER_BUCKET = 250;
/** Each bucket is filled from this many stretches of its period, so that peaks average out. */
const STRETCHES_PER_BUCKET = 6;
/** A period is planned larger than the last one turned out, because traffic grows. */
const GROWTH = 1.5;

/** Number of the period in which a record arrived. */
export function periodOf(arrivalMs: number, periodMs: number): number {
  return Math.floor(arrivalMs / periodMs);
}

/**
 * Periods beside the batch's own in which a copy may have arrived less than a horizon away: of none, one or both.
 * @param firstArrivalMs earliest and
 * @param lastArrivalMs latest arrival of the batch, both in the same period.
 */
export function neighbourPeriods(
  firstArrivalMs: number,
  lastArrivalMs: number,
  spec: Pick<LedgerSpec, 'periodMs' | 'horizonMs'>,
): number[] {
  const period = periodOf(firstArrivalMs, spec.periodMs);
  const neighbours: number[] = [];
  if (firstArrivalMs - period * spec.periodMs < spec.horizonMs) neighbours.push(period - 1);
  if ((period + 1) * spec.periodMs - lastArrivalMs < spec.horizonMs) neighbours.push(period + 1);
  return neighbours;
}

/** The arrival that every unfinished shard must be past for a period's identities to be forgotten. */
export function forgetLimitMs(period: number, spec: Pick<LedgerSpec, 'periodMs' | 'horizonMs'>): number {
  return (period + 1) * spec.periodMs + spec.horizonMs + FORGET_SLACK_MS;
}

/**
 * The bucket of an identity: an integer in 0…buckets−1, whatever the key is (absurd times included).
 * @param bucketKey milliseconds of the identity's time, or other bits of its hash (bucketBy hash).
 */
export function bucketOf(bucketKey: number, buckets: number, spec: Pick<LedgerSpec, 'periodMs' | 'bucketBy'>): number {
  const number =
    spec.bucketBy === 'hash'
      ? Math.floor(bucketKey)
      : Math.floor(bucketKey / (spec.periodMs / (STRETCHES_PER_BUCKET * buckets)));
  const rest = number % buckets;
  if (rest >= 0) return rest + 0;
  return rest < 0 ? rest + buckets : 0;
}

/** Number of buckets for a period of which this many identities are expected in the slot. */
export function planBuckets(expectedIdentities: number): number {
  return Math.max(1, Math.ceil(expectedIdentities / IDENTITIES_PER_BUCKET));
}

/** Number of buckets for a period after one that had this many identities in the slot. */
export function planNextBuckets(identitiesOfLastPeriod: number): number {
  return planBuckets(identitiesOfLastPeriod * GROWTH);
}
