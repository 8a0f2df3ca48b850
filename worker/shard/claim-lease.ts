/**
 * From an order to a right. An order is a hint: the lease row, read consistently, says whether this worker may start,
 * and in which generation. During a handoff to this worker the row is looked at again until the old owner has let go:
 * at a wake-up, or every 200 ms. A lease that this worker held in a handoff but does not work on any more is released.
 */
import { isFinished, isHeldBy, type Lease, type LeaseKey } from '../../lease/lease.ts';
import type { Waiting } from '../ledger/waiting.ts';
import type { Nudge } from './nudge.ts';
import type { LeaseAccess } from './shard-parts.ts';

export interface ClaimParts {
  readonly leases: LeaseAccess;
  readonly waiting: Waiting;
  readonly nudge: Nudge;
  readonly workerId: string;
  /** Told once when it waits for the old owner: a moment to prepare. */
  readonly onHandoff: (lease: Lease) => void;
}

export type Claim =
  | { readonly kind: 'mine'; readonly lease: Lease }
  /** This worker was the old owner of a handoff and had nothing running: it let go. */
  | { readonly kind: 'released'; readonly lease: Lease }
  | { readonly kind: 'notMine' };

const LOOK_AGAIN_MS = 200;

/** @param forNewOwner false: only let go of what is to be let go. */
export async function claimLease(
  parts: ClaimParts,
  key: LeaseKey,
  forNewOwner: boolean,
  signal: AbortSignal,
): Promise<Claim> {
  const { leases, waiting, workerId } = parts;
  for (let look = 1; ; look++) {
    const news = parts.nudge.next();
    const lease = await waiting.patiently(signal, () => leases.read(key));
    if (!lease || isFinished(lease)) return { kind: 'notMine' };
    if (lease.checkpointOwner === workerId) return letGo(parts, lease, signal);
    if (!forNewOwner || lease.owner !== workerId) return { kind: 'notMine' };
    if (isHeldBy(lease, workerId)) return { kind: 'mine', lease };
    if (look === 1) parts.onHandoff(lease);
    await parts.nudge.wait(LOOK_AGAIN_MS, signal, news);
    signal.throwIfAborted();
  }
}

async function letGo({ leases, waiting, workerId }: ClaimParts, lease: Lease, signal: AbortSignal): Promise<Claim> {
  const { key, generation } = lease;
  const outcome = await waiting.patiently(signal, () => leases.release({ key, workerId, generation }));
  return outcome.won ? { kind: 'released', lease: outcome.lease } : { kind: 'notMine' };
}
