/**
 * The duty of Opening: read the lease row, claim every slot for the generation, and find where reading starts. The
 * order matters: no earlier owner can move the checkpoint once the generation grew, and none can commit to a slot once
 * it is open. Whatever does not fit is loud: the shard halts and says why, and nothing is skipped.
 */
import { isMine, type Lease } from '../../lease/lease.ts';
import { type Checkpoint, checkpointPosition, END, type Position } from '../../lease/position.ts';
import { Checkpointer } from '../checkpoint/checkpointer.ts';
import { CheckpointTracker } from '../checkpoint/tracker.ts';
import { openShardLedger, type ShardLedger } from '../ledger/shard-ledger.ts';
import { RightLost } from '../ledger/surprise.ts';
import type { ShardSource, SourceStart } from '../source/shard-source.ts';
import type { ShardClaim, ShardWaits, WorkerParts } from './shard-parts.ts';

/** Everything of a shard that is open: it lives from an opening to a surprise or an end. */
export interface OpenShard {
  readonly source: ShardSource;
  readonly ledger: ShardLedger;
  readonly tracker: CheckpointTracker;
  readonly checkpointer: Checkpointer;
}

export type Opening =
  | { readonly kind: 'opened'; readonly shard: OpenShard }
  | { readonly kind: 'unfit'; readonly condition: string; readonly fields: Readonly<Record<string, unknown>> };

/**
 * @param leave ends the opening.
 * @param abort ends what is opened: an owner that leaves still writes its last checkpoint.
 * @throws RightLost when the row or a slot has another owner; the signal's reason.
 */
export async function openShard(
  parts: WorkerParts,
  claim: ShardClaim,
  waits: ShardWaits,
  { leave, abort }: { readonly leave: AbortSignal; readonly abort: AbortSignal },
): Promise<Opening> {
  const lease = await waits.table.patiently(leave, () => parts.leases.read(claim.key));
  if (lease?.generation !== claim.owned.generation || !isMine(lease, claim.owned.workerId)) {
    throw new RightLost('checkpoint', { foundGeneration: lease?.generation, foundOwner: lease?.owner });
  }
  const { ledgerId } = lease;
  if (ledgerId !== undefined && ledgerId !== parts.spec.name) {
    return unfit('LedgerOfOtherSettings', { boundTo: ledgerId, settingsMake: parts.spec.name });
  }
  const checkpoint = checkpointPosition(lease.checkpoint);
  const { ledger, settleMs, spec, clock } = parts;
  const opening = await openShardLedger(
    { ledger, spec, settleMs, clock, waiting: waits.redis, shard: claim.key, generation: lease.generation },
    ledgerId === undefined ? checkpoint : undefined,
    leave,
  );
  if (opening.kind === 'missing') return unfit('LedgerSlotLost', { slot: opening.slot });
  const { lowestRow, highestFloor } = opening.ledger;
  const start = sourceStart(lease.checkpoint, checkpoint, highestFloor);
  if (!start) return unfit('UnreadableCheckpoint', { checkpoint: lease.checkpoint.kind });
  // The floor is a checkpoint too: a row below it would be moved over records that its slot never had.
  if (lowestRow < checkpointPosition(start)) {
    return unfit('LedgerBehindCheckpoint', { lowestRow, checkpoint, highestFloor });
  }
  return { kind: 'opened', shard: assemble(parts, claim, waits, { lease, start, ledger: opening.ledger }, abort) };
}

function assemble(
  parts: WorkerParts,
  claim: ShardClaim,
  waits: ShardWaits,
  opened: { readonly lease: Lease; readonly start: SourceStart; readonly ledger: ShardLedger },
  signal: AbortSignal,
): OpenShard {
  const { lease, start, ledger } = opened;
  const from = checkpointPosition(start);
  ledger.startAt(from);
  const checkpointer = new Checkpointer({
    store: parts.leases,
    owned: claim.owned,
    clock: parts.clock,
    waiting: waits.table,
    everyMs: parts.checkpointMs,
    page: parts.book.pageOf(claim.key, lease.generation, lease.checkpointVersion),
    from: checkpointPosition(lease.checkpoint),
    binding: lease.ledgerId === undefined ? { ledgerId: parts.spec.name, start: lease.checkpoint } : undefined,
    onWritten: () => {
      parts.counts.checkpoints += 1;
    },
    signal,
  });
  return {
    source: parts.openSource(claim.shardId, start),
    ledger,
    tracker: new CheckpointTracker(from, ledger.settling),
    checkpointer,
  };
}

/**
 * A checkpoint below a floor means that the lease row was deleted or set back by hand: what lies below the floor was
 * done, and its duplicates are no longer noted, so reading starts at the floor.
 */
function sourceStart(checkpoint: Checkpoint, position: Position, floor: Position): SourceStart | undefined {
  if (checkpoint.kind === 'LATEST' || checkpoint.kind === 'SHARD_END') return undefined;
  if (floor <= position || floor === END) return checkpoint;
  return { kind: 'AFTER', position: floor };
}

function unfit(condition: string, fields: Readonly<Record<string, unknown>>): Opening {
  return { kind: 'unfit', condition, fields };
}
