/**
 * One planned move of a lease as the controller sees it, from the row that it wrote to the row that ends it. Pure.
 *
 *   (none) --requested--> draining --row without checkpointOwner, generation + 1--> released
 *                         draining --deadline, or the old owner is dead----------> forced (a write, then released)
 *                         draining --SHARD_END-----------------------------------> finished
 */
import { isFinished, type Lease } from '../../lease/lease.ts';

/** A move under way, as first seen by this controller: a new leader gives it a new deadline. */
export interface Draining {
  readonly key: string;
  readonly generation: number;
  readonly old: string;
  readonly sinceMs: number;
}

export type HandoffStep =
  /** No move was under way and none is. */
  | { readonly kind: 'none' }
  /** Go on waiting for the old owner. */
  | { readonly kind: 'wait'; readonly draining: Draining }
  /** Write `force`: the old owner had its time, or has none left. */
  | { readonly kind: 'force'; readonly draining: Draining; readonly reason: 'deadline' | 'dead' }
  /** The move is over. */
  | { readonly kind: 'over'; readonly outcome: 'released' | 'finished' };

export interface HandoffFacts {
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly isOldAlive: boolean;
}

/** @param lease the row as it is now; absent when it was deleted. */
export function nextStep(tracked: Draining | undefined, lease: Lease | undefined, facts: HandoffFacts): HandoffStep {
  const old = lease?.checkpointOwner;
  if (!lease || old === undefined) {
    if (!tracked) return { kind: 'none' };
    return { kind: 'over', outcome: lease && isFinished(lease) ? 'finished' : 'released' };
  }
  const isSame = tracked?.generation === lease.generation && tracked.old === old;
  const draining = isSame ? tracked : { key: lease.key, generation: lease.generation, old, sinceMs: facts.nowMs };
  if (!facts.isOldAlive) return { kind: 'force', draining, reason: 'dead' };
  if (facts.nowMs - draining.sinceMs >= facts.deadlineMs) return { kind: 'force', draining, reason: 'deadline' };
  return { kind: 'wait', draining };
}
