/**
 * The plan: leases and workers to a short list of moves. Pure, and level-based: carried out completely it leaves
 * nothing to move, so that repeating it neither oscillates nor undoes. Sticky: what lies well stays. Minimal: leases
 * without a living owner go to the least loaded first, and only what still lies plainly unevenly is moved.
 * Neighbours: spread.ts (who has how much), balance.ts (what is worth a move), shard-weights.ts (what a shard weighs).
 */
import { balance } from './balance.ts';
import { type Load, type PlannedLease, type PlannedWorker, Spread } from './spread.ts';

export type MoveReason = 'free' | 'dead' | 'leaving' | 'balance';

export interface Move {
  readonly verb: 'assign' | 'take' | 'handoff' | 'retarget';
  readonly key: string;
  /** Who has it now; for retarget: who was to get it. */
  readonly from: string | undefined;
  readonly to: string;
  readonly reason: MoveReason;
}

export interface PlanOptions {
  /** Leave what has a living owner where it is, even if it lies unevenly: the workers are about to change. */
  readonly withoutBalance?: boolean;
}

/**
 * Moves in the order of their urgency: dead owners' leases and free ones, those of leaving workers, balance. Where
 * everything should lie is found first, then only the differences become moves: none is made twice.
 */
export function plan(
  leases: readonly PlannedLease[],
  workers: readonly PlannedWorker[],
  { withoutBalance = false }: PlanOptions = {},
): Move[] {
  const standing = new Map(workers.map((worker) => [worker.id, worker.standing]));
  const remaining = workers.filter((worker) => worker.standing === 'eligible' || worker.standing === 'staying');
  if (!remaining.some((worker) => worker.standing === 'eligible')) return [];
  const spread = new Spread(remaining, leases);
  const homeless: Homeless[] = [];
  for (const lease of leases) {
    const load = spread.get(ownerOf(lease) ?? '');
    if (load) spread.put(load, lease);
    else homeless.push(withoutHome(lease, standing));
  }
  placeAll(homeless, spread);
  if (!withoutBalance) balance(spread);
  return differences(homeless, spread);
}

/** A lease whose owner may not have it, and the move that it needs. */
interface Homeless extends Omit<Move, 'to'> {
  /** As it is put: one on its way may be placed anywhere now, because its target is out. */
  readonly lease: PlannedLease;
  /** Where it was put first, if there was room. */
  to: Load | undefined;
}

function differences(homeless: readonly Homeless[], spread: Spread): Move[] {
  const moves: Move[] = [];
  for (const { lease, verb, key, from, reason, to } of homeless) {
    const load = spread.moved.get(lease) ?? to;
    if (load) moves.push({ verb, key, from, to: load.id, reason });
  }
  for (const [{ key, state }, { id }] of spread.moved) {
    if (state.kind !== 'held' || !spread.get(state.owner) || state.owner === id) continue;
    moves.push({ verb: 'handoff', key, from: state.owner, to: id, reason: 'balance' });
  }
  return moves;
}

function withoutHome(lease: PlannedLease, standing: ReadonlyMap<string, PlannedWorker['standing']>): Homeless {
  const { key, state } = lease;
  switch (state.kind) {
    case 'free':
      return { lease, verb: 'assign', key, from: undefined, to: undefined, reason: 'free' };
    case 'handing': {
      const reason = reasonOf(standing.get(state.to));
      return {
        lease: { ...lease, state: { kind: 'free' } },
        verb: 'retarget',
        key,
        from: state.to,
        to: undefined,
        reason,
      };
    }
    case 'held': {
      const reason = reasonOf(standing.get(state.owner));
      return { lease, verb: reason === 'dead' ? 'take' : 'handoff', key, from: state.owner, to: undefined, reason };
    }
  }
}

/** An owner that nobody knows is dead. */
function reasonOf(standing: PlannedWorker['standing'] | undefined): MoveReason {
  return standing === 'leaving' ? 'leaving' : 'dead';
}

const URGENCY: Readonly<Record<MoveReason, number>> = { dead: 0, free: 1, leaving: 2, balance: 3 };

/** Heaviest first within an urgency, each to the least loaded. Who finds no room waits for a later plan. */
function placeAll(homeless: Homeless[], spread: Spread): void {
  homeless.sort(
    (a, b) => URGENCY[a.reason] - URGENCY[b.reason] || b.lease.weight - a.lease.weight || (a.key < b.key ? -1 : 1),
  );
  for (const one of homeless) {
    one.to = spread.leastLoaded();
    if (one.to) spread.put(one.to, one.lease);
  }
}

function ownerOf(lease: PlannedLease): string | undefined {
  switch (lease.state.kind) {
    case 'free':
      return undefined;
    case 'held':
      return lease.state.owner;
    case 'handing':
      return lease.state.to;
  }
}
