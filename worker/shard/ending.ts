/**
 * The duty of Ending: every slot's row to END and settled, the children's rows seen to exist, then SHARD_END. In this
 * order: a shard end is final, and lets the children start. Of a shard that retention trimmed before it was read the
 * lease row goes instead, which lets them start too: a shard end would say that it was read.
 */
import { isHealKey } from '../../lease/heal-lease.ts';
import type { NewLease } from '../../lease/lease.ts';
import { END } from '../../lease/position.ts';
import { RightLost, RowWentStale } from '../ledger/surprise.ts';
import type { ChildShard } from '../source/raw-batch.ts';
import type { OpenShard } from './opening.ts';
import type { ShardClaim, ShardWaits, WorkerParts } from './shard-parts.ts';

export type ShardOutcome =
  | { readonly kind: 'readToEnd'; readonly children: readonly ChildShard[] }
  /** The stream has the shard no more. */
  | { readonly kind: 'gone' };

/**
 * @param signal aborts when the right is lost, or when this owner is asked to leave: the next owner ends the shard.
 * @throws RowWentStale, RightLost, or the signal's reason.
 */
export async function endShard(
  parts: WorkerParts,
  claim: ShardClaim,
  waits: ShardWaits,
  shard: OpenShard,
  outcome: ShardOutcome,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, tracker, checkpointer } = shard;
  const marks = { floor: checkpointer.acknowledged, arrivalMs: tracker.safe.arrivalMs };
  // Rows that were at END before may settle sooner than a dead letter that was just stored again.
  await ledger.finish(marks, () => isAllSafe(shard), signal);
  // A finished shard that was healed has its children's rows: its own shard end saw them.
  const born = isHealKey(claim.key) || outcome.kind === 'gone' ? undefined : outcome.children;
  for (const child of born ?? []) await ensureChild(parts, claim, waits, child, signal);
  if (born?.length === 0) parts.logger.warn('shard ended without known children', { leaseKey: claim.key, row: END });
  signal.throwIfAborted();
  if (outcome.kind === 'gone') await discardLease(parts, claim, waits, shard, signal);
  else await checkpointer.finish();
  parts.signals.toController({ kind: 'shard-ended', leaseKey: claim.key });
}

function isAllSafe({ ledger, tracker }: OpenShard): boolean {
  if (tracker.advance(ledger.settled) === 'lost') throw new RowWentStale({ because: 'a dead letter was lost' });
  return tracker.isComplete;
}

async function discardLease(
  { leases, counts, logger }: WorkerParts,
  { key, owned }: ShardClaim,
  { table }: ShardWaits,
  { checkpointer }: OpenShard,
  signal: AbortSignal,
): Promise<void> {
  await checkpointer.idle();
  const { won, lease } = await table.patiently(signal, () => leases.discard(owned));
  if (!won) throw new RightLost('checkpoint', { foundGeneration: lease.generation, foundOwner: lease.owner });
  counts.shardsGone += 1;
  logger.error('shard trimmed by retention before it was read to its end: its lease is removed', {
    leaseKey: key,
    checkpoint: checkpointer.acknowledged,
  });
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
    if (!outcome.won && outcome.lease === undefined) throw new RowWentStale({ because: 'a child has no row' });
  });
}
