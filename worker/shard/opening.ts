/**
 * The duty of Opening: read the lease row, claim every slot for the generation, and find where reading starts. The
 * order matters: no earlier owner can move the checkpoint once the generation grew, and none can commit to a slot once
 * it is open. Whatever does not fit is loud: the shard halts and says why, and nothing is skipped. A heal lease opens the
 * rows of the finished shard that it names.
 */
import { healGeneration, isHealKey } from '../../lease/heal-lease.ts';
import { creationEpochSecondsOf, isFinished, isMine, type Lease, type LeaseKey } from '../../lease/lease.ts';
import { checkpointPosition, type Position } from '../../lease/position.ts';
import { Checkpointer } from '../checkpoint/checkpointer.ts';
import { CheckpointTracker } from '../checkpoint/tracker.ts';
import { openShardLedger, type ShardLedger } from '../ledger/shard-ledger.ts';
import { RightLost } from '../ledger/surprise.ts';
import { type HashRange, narrowedRange } from '../pipeline/hash-range.ts';
import type { OpenSource, ShardSource } from '../source/shard-source.ts';
import { deliveredBefore } from './delivery.ts';
import { EarlySource } from './early-source.ts';
import type { ShardClaim, ShardWaits, WorkerParts } from './shard-parts.ts';
import { planHeal, planStart, type StartPlan } from './start-plan.ts';

/** Everything of a shard that is open: it lives from an opening to a surprise or an end. */
export interface OpenShard {
  readonly source: ShardSource;
  readonly ledger: ShardLedger;
  readonly tracker: CheckpointTracker;
  readonly checkpointer: Checkpointer;
  /** Up to where the owner before delivered; undefined = that does not count. */
  readonly deliveredBefore: Position | undefined;
  /** User records outside of it are not this shard's; undefined = all are. */
  readonly ownRange: HashRange | undefined;
}

export type Opening =
  | { readonly kind: 'opened'; readonly shard: OpenShard }
  | { readonly kind: 'unfit'; readonly condition: string; readonly fields: Readonly<Record<string, unknown>> };

export interface OpeningSignals {
  /** Ends the opening. */
  readonly leave: AbortSignal;
  /** Ends what is opened: an owner that leaves still writes its last checkpoint. */
  readonly abort: AbortSignal;
}

/**
 * @param seen the lease row of the claim, for the first opening: nobody else may have written to it since, so that it
 * need not be read again, and reading may begin beside the opening.
 * @throws RightLost when the row or a slot has another owner; the signal's reason.
 */
export async function openShard(
  parts: WorkerParts,
  claim: ShardClaim,
  waits: ShardWaits,
  signals: OpeningSignals,
  seen?: Lease,
): Promise<Opening> {
  const creationEpochSeconds = creationEpochSecondsOf(claim.shardKey);
  const open: OpenSource = (shardId, start) => parts.openSource(shardId, start, creationEpochSeconds);
  const early = new EarlySource(open, claim.shardId);
  try {
    return await openSlots(parts, claim, waits, signals, { seen, early });
  } finally {
    early.close();
  }
}

async function openSlots(
  parts: WorkerParts,
  claim: ShardClaim,
  waits: ShardWaits,
  { leave, abort }: OpeningSignals,
  { seen, early }: { readonly seen: Lease | undefined; readonly early: EarlySource },
): Promise<Opening> {
  const read = (key: LeaseKey) => waits.table.patiently(leave, () => parts.leases.read(key));
  const right = seen ?? (await read(claim.key));
  requireMine(right, claim);
  const isHeal = isHealKey(claim.key);
  const lease = isHeal ? await read(claim.shardKey) : right;
  if (!lease || (isHeal && !isFinished(lease))) return unfit('HealedShardNotFinished', { leaseKey: claim.shardKey });
  const { ledgerId } = lease;
  if (ledgerId !== undefined && ledgerId !== parts.spec.name) {
    return unfit('LedgerOfOtherSettings', { boundTo: ledgerId, settingsMake: parts.spec.name });
  }
  const { ledger, settleMs, spec, clock } = parts;
  if (seen && !isHeal) early.begin(lease.checkpoint);
  const generation = isHeal ? healGeneration(lease, right) : lease.generation;
  const opening = await openShardLedger(
    { ledger, spec, settleMs, clock, waiting: waits.redis, shard: claim.shardKey, generation },
    ledgerId === undefined && !isHeal ? checkpointPosition(lease.checkpoint) : undefined,
    leave,
  ).catch(async (error: unknown) => {
    if (error instanceof RightLost && !isHeal) await liftAbove(error, parts, claim, await read(claim.key));
    throw error;
  });
  if (opening.kind === 'missing') return unfit('LedgerSlotLost', { slot: opening.slot });
  const plan = isHeal ? planHeal(lease, opening.ledger) : planStart(lease, opening.ledger);
  if (!plan) return unfit('UnreadableCheckpoint', { checkpoint: lease.checkpoint.kind });
  return {
    kind: 'opened',
    shard: assemble(parts, claim, waits, { lease, right, plan, ledger: opening.ledger, early }, abort),
  };
}

function requireMine(right: Lease | undefined, { owned }: ShardClaim): asserts right is Lease {
  if (right?.generation === owned.generation && isMine(right, owned.workerId)) return;
  throw new RightLost('checkpoint', { foundGeneration: right?.generation, foundOwner: right?.owner });
}

/**
 * The ledger saw a later generation than the row has now: then the row was deleted and created again, because a row's
 * counter only grows and the ledger's generations come from it. Whoever owns the row goes on above them.
 */
async function liftAbove(
  { fields }: RightLost,
  { leases, logger }: WorkerParts,
  { key, owned }: ShardClaim,
  row: Lease | undefined,
): Promise<void> {
  const { newerGeneration } = fields;
  const isBehind = typeof newerGeneration === 'number' && row?.generation === owned.generation;
  if (!isBehind || newerGeneration <= row.generation || !isMine(row, owned.workerId)) return;
  logger.warn('lease row is younger than its ledger: going on above', { leaseKey: key, newerGeneration });
  await leases.lift(owned, Math.ceil(newerGeneration));
}

interface Opened {
  /** Of the shard that is read. */
  readonly lease: Lease;
  /** What gives the right to it: another one when this is a heal lease. */
  readonly right: Lease;
  readonly plan: StartPlan;
  readonly ledger: ShardLedger;
  readonly early: EarlySource;
}

function assemble(
  parts: WorkerParts,
  claim: ShardClaim,
  waits: ShardWaits,
  opened: Opened,
  signal: AbortSignal,
): OpenShard {
  const { lease, right, plan, ledger, early } = opened;
  const { start, from, healUntil } = plan;
  ledger.startAt(from, healUntil);
  const isHeal = right !== lease;
  const checkpointer = new Checkpointer({
    store: parts.leases,
    owned: claim.owned,
    clock: parts.clock,
    waiting: waits.table,
    // How far a heal of a finished shard is, its rows tell.
    everyMs: isHeal ? Number.POSITIVE_INFINITY : parts.checkpointMs,
    page: parts.book.pageOf(claim.key, right.generation, right.checkpointVersion),
    from: checkpointPosition(right.checkpoint),
    binding:
      lease.ledgerId === undefined && !isHeal ? { ledgerId: parts.spec.name, start: lease.checkpoint } : undefined,
    onWritten: () => {
      parts.counts.checkpoints += 1;
    },
    signal,
  });
  return {
    source: early.take(start),
    ledger,
    tracker: new CheckpointTracker(from, ledger.settling),
    checkpointer,
    deliveredBefore: isHeal ? undefined : deliveredBefore(lease, ledger),
    ownRange: parts.ownRangeOnly ? narrowedRange(lease) : undefined,
  };
}

function unfit(condition: string, fields: Readonly<Record<string, unknown>>): Opening {
  return { kind: 'unfit', condition, fields };
}
