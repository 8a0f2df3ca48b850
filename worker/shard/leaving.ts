/**
 * The duty of Draining: checkpoint what is settled now (waiting for no settling; what lies above it the next owner
 * reads again and replays), then give the lease back, which is the last write. Whoever waits for the lease is told.
 */
import type { Lease } from '../../lease/lease.ts';
import type { WriteOutcome } from '../../lease/lease-store.ts';
import type { Position } from '../../lease/position.ts';
import { RightLost } from '../ledger/surprise.ts';
import type { Handover } from './handover.ts';
import type { OpenShard } from './opening.ts';
import type { ShardClaim, ShardWaits, WorkerParts } from './shard-parts.ts';
import type { LeaveKind } from './stop-reason.ts';

export interface Leaving {
  readonly kind: LeaveKind;
  readonly handover: Handover;
  /** Up to where the streaming sinks have everything; undefined = nothing is known, or there are none. */
  readonly deliveredTo: Position | undefined;
}

/** @throws RightLost when the handoff was forced meanwhile; the signal's reason. */
export async function leaveShard(
  parts: WorkerParts,
  claim: ShardClaim,
  waits: ShardWaits,
  shard: OpenShard | undefined,
  { kind, handover, deliveredTo }: Leaving,
  signal: AbortSignal,
): Promise<void> {
  if (shard) {
    shard.tracker.advance(shard.ledger.settled);
    await shard.checkpointer.flush(shard.tracker.safe.position, shard.ledger.settled !== undefined);
  }
  handover.checkpointed();
  const lease = await giveBack(parts, claim, waits, { kind, deliveredTo }, signal);
  const hint = { kind: 'lease-released', leaseKey: claim.key } as const;
  if (lease.owner !== undefined) parts.signals.toWorker(lease.owner, hint);
  parts.signals.toController(hint);
  handover.released();
}

async function giveBack(
  { leases }: WorkerParts,
  { owned }: ShardClaim,
  { table }: ShardWaits,
  { kind, deliveredTo }: Pick<Leaving, 'kind' | 'deliveredTo'>,
  signal: AbortSignal,
): Promise<Lease> {
  const write = (attempt: () => Promise<WriteOutcome>): Promise<WriteOutcome> => table.patiently(signal, attempt);
  let outcome = await write(() => (kind === 'handoff' ? leases.release(owned, deliveredTo) : leases.free(owned)));
  // A handoff may begin while this owner is about to free, and the other way round.
  if (!outcome.won && kind === 'shutdown' && outcome.lease?.checkpointOwner === owned.workerId) {
    outcome = await write(() => leases.release(owned, deliveredTo));
  }
  if (outcome.won) return outcome.lease;
  throw new RightLost('checkpoint', { foundGeneration: outcome.lease?.generation, foundOwner: outcome.lease?.owner });
}
