/**
 * Heal leases: the right to read a finished shard once more, because Redis lost the tail of a slot and with it a part
 * of what that shard had counted. A row of its own, `heal/<lease key>`, so that the shard's own SHARD_END stays. In the
 * ledger its owner writes in generations between the finished lease's own and the next whole one: an owner that comes
 * after an operator's reset fences it.
 */
import type { Lease, LeaseKey } from './lease.ts';

const PREFIX = 'heal/';
/** Owners that a heal lease can have had. */
const GENERATIONS = 1_000_000;

export function healKeyOf(key: LeaseKey): LeaseKey {
  return PREFIX + key;
}

export function isHealKey(key: LeaseKey): boolean {
  return key.startsWith(PREFIX);
}

/** The lease whose shard a lease reads: for a heal lease the finished one, for every other itself. */
export function healedKeyOf(key: LeaseKey): LeaseKey {
  return isHealKey(key) ? key.slice(PREFIX.length) : key;
}

/** Generation in the ledger of a heal lease's owner. */
export function healGeneration(finished: Pick<Lease, 'generation'>, heal: Pick<Lease, 'generation'>): number {
  return finished.generation + Math.min(heal.generation, GENERATIONS - 1) / GENERATIONS;
}
