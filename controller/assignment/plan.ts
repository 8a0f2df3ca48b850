/**
 * The plan: leases and workers to a short list of moves. Pure, and level-based: carried out completely it leaves
 * nothing to move, so that repeating it neither oscillates nor undoes. Sticky: what lies well stays. Minimal: leases
 * without a living owner go to the least loaded first, and only what still lies unevenly is moved.
 */

export interface PlannedLease {
  readonly key: string;
  /** What it costs its owner; 1 = an ordinary shard. */
  readonly weight: number;
  readonly state: /** Nobody has it and it may begin. */
    | { readonly kind: 'free' }
    | { readonly kind: 'held'; readonly owner: string }
    /** On its way: counts for `to`, and is not moved again while `to` may have it. */
    | { readonly kind: 'handing'; readonly old: string; readonly to: string };
}

export interface PlannedWorker {
  readonly id: string;
  /** eligible: may be given leases. leaving: alive, lets go what it has. dead: has nothing to say any more. */
  readonly standing: 'eligible' | 'leaving' | 'dead';
}

export type MoveReason = 'free' | 'dead' | 'leaving' | 'balance';

export interface Move {
  readonly verb: 'assign' | 'take' | 'handoff' | 'retarget';
  readonly key: string;
  /** Who has it now; for retarget: who was to get it. */
  readonly from: string | undefined;
  readonly to: string;
  readonly reason: MoveReason;
}

/** Orders rows are bounded. */
export const MAX_LEASES_PER_WORKER = 1_000;
/** A move for balance must lessen the difference between two workers by more than this share of a weight. */
const HYSTERESIS = 0.1;

/** What a worker would have when the plan is carried out. */
interface Load {
  readonly id: string;
  weight: number;
  leases: number;
  /** All but those on their way: those stay. */
  readonly movable: PlannedLease[];
}

/**
 * Moves in the order of their urgency: dead owners' leases and free ones, those of leaving workers, balance. Where
 * everything should lie is found first, then only the differences become moves: none is made twice.
 */
export function plan(leases: readonly PlannedLease[], workers: readonly PlannedWorker[]): Move[] {
  const standing = new Map(workers.map((worker) => [worker.id, worker.standing]));
  const eligible = workers.filter((worker) => worker.standing === 'eligible').map((worker) => worker.id);
  const ids = [...new Set(eligible)].sort((a, b) => (a < b ? -1 : 1));
  const loads = new Map<string, Load>(ids.map((id) => [id, { id, weight: 0, leases: 0, movable: [] }]));
  if (loads.size === 0) return [];
  const homeless: Homeless[] = [];
  for (const lease of leases) {
    const load = loads.get(ownerOf(lease) ?? '');
    if (load) put(load, lease);
    else homeless.push({ lease, move: withoutHome(lease, standing) });
  }
  placeAll(homeless, [...loads.values()]);
  balance([...loads.values()]);
  return differences(homeless, loads);
}

interface Homeless {
  readonly lease: PlannedLease;
  readonly move: Omit<Move, 'to'>;
}

function differences(homeless: readonly Homeless[], loads: ReadonlyMap<string, Load>): Move[] {
  const home = new Map<string, string>();
  for (const load of loads.values()) for (const lease of load.movable) home.set(lease.key, load.id);
  const placed = homeless.flatMap(({ move }) => {
    const to = home.get(move.key);
    return to === undefined ? [] : [{ ...move, to }];
  });
  const balanced: Move[] = [];
  for (const load of loads.values()) {
    for (const { key, state } of load.movable) {
      if (state.kind !== 'held' || !loads.has(state.owner) || state.owner === load.id) continue;
      balanced.push({ verb: 'handoff', key, from: state.owner, to: load.id, reason: 'balance' });
    }
  }
  return [...placed, ...balanced];
}

/** The move that a lease needs whose owner may not have it. */
function withoutHome(
  { key, state }: PlannedLease,
  standing: ReadonlyMap<string, PlannedWorker['standing']>,
): Homeless['move'] {
  switch (state.kind) {
    case 'free':
      return { verb: 'assign', key, from: undefined, reason: 'free' };
    case 'handing':
      return { verb: 'retarget', key, from: state.to, reason: reasonOf(standing.get(state.to)) };
    case 'held': {
      const reason = reasonOf(standing.get(state.owner));
      return { verb: reason === 'dead' ? 'take' : 'handoff', key, from: state.owner, reason };
    }
  }
}

/** An owner that nobody knows is dead. */
function reasonOf(standing: PlannedWorker['standing'] | undefined): MoveReason {
  return standing === 'leaving' ? 'leaving' : 'dead';
}

const URGENCY: readonly MoveReason[] = ['dead', 'free', 'leaving', 'balance'];

/** Heaviest first within an urgency, each to the least loaded. Who finds no room waits for a later plan. */
function placeAll(homeless: Homeless[], loads: readonly Load[]): void {
  homeless.sort(
    (a, b) =>
      URGENCY.indexOf(a.move.reason) - URGENCY.indexOf(b.move.reason) ||
      b.lease.weight - a.lease.weight ||
      (a.lease.key < b.lease.key ? -1 : 1),
  );
  for (const { lease } of homeless) {
    const to = leastLoaded(loads);
    // Also a lease on its way may be placed anywhere now: its target is out.
    if (to) put(to, { ...lease, state: lease.state.kind === 'handing' ? { kind: 'free' } : lease.state });
  }
}

/** From the most loaded to the least loaded, as long as a move makes the two plainly more alike. */
function balance(loads: readonly Load[]): void {
  const donors = new Set(loads);
  while (donors.size > 0) {
    const donor = [...donors].reduce((most, load) => (load.weight > most.weight ? load : most));
    const to = leastLoaded(loads);
    const lease = to && bestToMove(donor, to);
    if (!to || !lease) {
      donors.delete(donor);
      continue;
    }
    donor.movable.splice(donor.movable.indexOf(lease), 1);
    donor.weight -= lease.weight;
    donor.leases--;
    put(to, lease);
    donors.add(to);
  }
}

/**
 * The lease whose move brings the two nearest to each other; none when no move helps plainly. Moving w changes the
 * difference d to |d - 2w|.
 */
function bestToMove(donor: Load, to: Load): PlannedLease | undefined {
  const difference = donor.weight - to.weight;
  let best: PlannedLease | undefined;
  for (const lease of donor.movable) {
    const rest = Math.abs(difference - 2 * lease.weight);
    if (rest >= difference - HYSTERESIS * lease.weight) continue;
    if (!best || isBetter(lease, best, difference)) best = lease;
  }
  return best;
}

/** The heavier one of two that do as well: it leaves less to be moved later. Then by key: the same plan every time. */
function isBetter(lease: PlannedLease, best: PlannedLease, difference: number): boolean {
  const byRest = Math.abs(difference - 2 * lease.weight) - Math.abs(difference - 2 * best.weight);
  return (byRest || best.weight - lease.weight || (lease.key < best.key ? -1 : 1)) < 0;
}

function leastLoaded(loads: readonly Load[]): Load | undefined {
  let least: Load | undefined;
  for (const load of loads) {
    if (load.leases >= MAX_LEASES_PER_WORKER) continue;
    if (!least || load.weight < least.weight) least = load;
  }
  return least;
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

function put(load: Load, lease: PlannedLease): void {
  load.weight += lease.weight;
  load.leases++;
  if (lease.state.kind !== 'handing') load.movable.push(lease);
}
