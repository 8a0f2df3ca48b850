/**
 * The duty of Ending: every slot's row to END and settled, the children's rows seen to exist, then SHARD_END. In this
 * order: a shard end is final, and lets the children start.
 */
import type { NewLease } from '../../lease/lease.ts';
import { END } from '../../lease/position.ts';
import { RowWentStale } from '../ledger/surprise.ts';
import type { ChildShard } from '../source/raw-batch.ts';
import type { OpenShard } from './opening.ts';
import type { ShardClaim, ShardWaits, WorkerParts } from './shard-parts.ts';

/**
 * @param signal aborts when the right is lost, or when this owner is asked to leave: the next owner ends the shard.
 * @throws RowWentStale, RightLost, or the signal's reason.
 */
export async function endShard(
  parts: WorkerParts,
  claim: ShardClaim,
  waits: ShardWaits,
  shard: OpenShard,
  children: readonly ChildShard[],
  signal: AbortSignal,
): Promise<void> {
  const { ledger, tracker, checkpointer } = shard;
  await ledger.finish({ floor: checkpointer.acknowledged, arrivalMs: tracker.safe.arrivalMs }, signal);
  if (tracker.advance(ledger.settled) === 'lost' || !tracker.isComplete) {
    throw new RowWentStale({ reason: 'a dead letter was not settled' });
  }
  for (const child of children) await ensureChild(parts, claim, waits, child, signal);
  if (children.length === 0) parts.logger.warn('shard ended without known children', { leaseKey: claim.key, row: END });
  signal.throwIfAborted();
  await checkpointer.finish();
  parts.signals.toController({ kind: 'shard-ended', leaseKey: claim.key });
}

/** A create that is lost found the row: the other parent's owner, or the controller, was first. */
async function ensureChild(
  { leases }: WorkerParts,
  claim: ShardClaim,
  { table }: ShardWaits,
  child: ChildShard,
  signal: AbortSignal,
): Promise<void> {
  const lease: NewLease = {
    key: `${claim.key.slice(0, -claim.shardId.length)}${child.shardId}`,
    checkpoint: { kind: 'TRIM_HORIZON' },
    parents: child.parentShards,
    startingHashKey: child.startingHashKey,
    endingHashKey: child.endingHashKey,
  };
  await table.patiently(signal, async () => {
    const outcome = await leases.create(lease);
    if (!outcome.won && outcome.lease === undefined) throw new RowWentStale({ reason: 'a child has no row' });
  });
}
