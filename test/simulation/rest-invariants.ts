/**
 * What must come to hold once faults have stopped, and stay so: every shard has an owner who reads, everything is counted
 * and checkpointed, what Redis lost is healed, finished shards too, and nothing wanders any more.
 */
import { isHealKey } from '../../lease/heal-lease.ts';
import { isFinished, isHeldBy, type Lease } from '../../lease/lease.ts';
import { checkpointPosition } from '../../lease/position.ts';
import type { Worker } from '../../worker/worker.ts';
import { shortly } from './trace.ts';
import type { World } from './world.ts';

/** From the end of faults. The longest back-offs of production, and the time to read what has piled up. */
export const REST_WITHIN_MS = 75_000;
/** Each lease is taken from a dead owner, or moved for balance, and perhaps once more when the last pod comes. */
const MOST_MOVES_PER_LEASE = 3;

/** Why the world is not at rest; undefined = it is. */
export function unrest(
  world: World,
): { readonly invariant: 'NoOrphan' | 'Progress'; readonly what: string } | undefined {
  const { stream, leaseRows, truth } = world;
  const ownRows = [...leaseRows.values()].filter(({ key }) => !isHealKey(key));
  const leases = new Map(ownRows.map((lease) => [lease.shardId, lease]));
  for (const { id, endSequence } of stream.shards) {
    const lease = leases.get(id);
    if (!lease) return { invariant: 'NoOrphan', what: `${id} has no lease row` };
    if (isFinished(lease)) continue;
    const isOwned = livingWorkers(world).some((worker) => isWorkedOn(lease, worker));
    if (!isOwned) return { invariant: 'NoOrphan', what: `${id} is read by nobody: ${shortly(lease)}` };
    if (endSequence !== undefined) return { invariant: 'Progress', what: `${id} is closed and not finished` };
    const last = truth.byShard.get(id)?.at(-1)?.position;
    if (last !== undefined && checkpointPosition(lease.checkpoint) < last) {
      return { invariant: 'Progress', what: `${id} is checkpointed at ${shortly(lease.checkpoint)}, not at its end` };
    }
  }
  const behind = ownRows.find((lease) => !coversCheckpoint(world, lease));
  if (behind) return { invariant: 'Progress', what: `${behind.shardId} is not healed` };
  const stray = livingWorkers(world).find(({ id }) => id === undefined || !world.fleetRows.registered.has(id));
  return stray && { invariant: 'NoOrphan', what: `worker ${stray.id} lives, and the fleet does not know it` };
}

/** At rest: what can only then be said. */
export async function checkRest(world: World): Promise<void> {
  const { verdict, redis, truth, settings, slotInvariants, leaseInvariants, delivery } = world;
  for (let slot = 0; slot < settings.spec.slots; slot++) slotInvariants.checkImage(slot);
  const totals = await redis.totals();
  const wanted = truth.totals(settings.spec.slots);
  const wrong = [...wanted].filter(([name, count]) => totals.get(name) !== count);
  verdict.require(
    wrong.length === 0 && totals.size === wanted.size,
    'CountExact',
    () => `${shortly([...totals])} and not ${shortly([...wanted])}`,
  );
  const letters = truth.records.filter(({ identity }) => identity === undefined);
  const unsent = letters.filter(({ shardId, position }) => !redis.letters.has(`${keyOf(world, shardId)}@${position}`));
  verdict.require(
    unsent.length === 0,
    'NothingSkipped',
    () => `no dead letter of ${unsent.map(({ shardId, position }) => `${shardId}@${shortly(position)}`).join(', ')}`,
  );
  delivery.checkComplete();
  for (const [key, moves] of leaseInvariants.takeMoves()) {
    verdict.require(
      moves <= MOST_MOVES_PER_LEASE,
      'BoundedMoves',
      () => `${key} changed hands ${moves} times after faults had stopped`,
    );
  }
}

function coversCheckpoint({ redis }: World, { key, checkpoint, ledgerId }: Lease): boolean {
  if (ledgerId === undefined) return true;
  const reached = checkpointPosition(checkpoint);
  return redis.state.slots.every(({ rows }) => (rows.get(key)?.position ?? '') >= reached);
}

function keyOf({ leaseRows }: World, shardId: string): string | undefined {
  return [...leaseRows.values()].find((lease) => lease.shardId === shardId && !isHealKey(lease.key))?.key;
}

function livingWorkers(world: World): Worker[] {
  return [...world.workersRunning].flatMap(([process, worker]) =>
    process.isDead || process.terminated.signal.aborted ? [] : [worker],
  );
}

function isWorkedOn(lease: Lease, worker: Worker): boolean {
  const { id } = worker;
  if (id === undefined || !isHeldBy(lease, id)) return false;
  return worker.shards.some(({ shardId, state }) => shardId === lease.shardId && state === 'Reading');
}
