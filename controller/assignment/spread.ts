/**
 * How the weight of the leases lies over workers and zones while a plan is made: who has how much, who should have how
 * much, and how much of a difference is worth a move. Changed by `put` and `move` alone. Neighbours: plan.ts fills it,
 * balance.ts evens it out.
 */

export interface PlannedLease {
  readonly key: string;
  /** What it costs its owner, in any unit; more than 0. */
  readonly weight: number;
  /** How often it changed its owner: of two that do as well, the one that moved less is moved. */
  readonly generation?: number;
  readonly state: /** Nobody has it and it may begin. */
    | { readonly kind: 'free' }
    | { readonly kind: 'held'; readonly owner: string }
    /** On its way: counts for `to`, and is not moved again while `to` may have it. */
    | { readonly kind: 'handing'; readonly old: string; readonly to: string };
}

export interface PlannedWorker {
  readonly id: string;
  /**
   * eligible: may be given leases. staying: keeps what it has, is given nothing more. leaving: alive, lets go what it
   * has. dead: has nothing to say any more.
   */
  readonly standing: 'eligible' | 'staying' | 'leaving' | 'dead';
  /** Unknown = all in one zone. */
  readonly zone?: string | undefined;
  /** How much it should have beside others; 1 = an ordinary worker. */
  readonly capacity?: number;
}

/** A zone with what its workers have and can. */
export interface Zone {
  weight: number;
  capacity: number;
  /** Its workers by what they have for their capacity, the least loaded first. */
  readonly order: Load[];
}

/** What a worker would have when the plan is carried out. */
export interface Load {
  readonly id: string;
  readonly zone: Zone;
  readonly capacity: number;
  readonly mayReceive: boolean;
  weight: number;
  /** Weight per capacity. */
  level: number;
  leases: number;
  /** All but those on their way: those stay. */
  readonly movable: PlannedLease[];
}

/** Orders rows are bounded. */
export const MAX_LEASES_PER_WORKER = 1_000;
/** Two workers are alike when they differ by less than this many average leases ... */
const ALIKE_LEASES = 1.5;
/** ... or by less than this part of what a worker should have, whichever is less. */
const ALIKE_SHARE = 0.2;
/** Sums of the same weights in another order differ by this much, and mean the same. */
const ROUNDING = 1e-9;

export class Spread {
  readonly zones: readonly Zone[];
  /** Weight per capacity if everything lay evenly. */
  readonly share: number;
  readonly averageLease: number;
  /** A difference of two workers' levels below this is none. */
  readonly alike: number;
  readonly rounding: number;
  /** Leases that were moved after they had been put, with who has them now. */
  readonly moved = new Map<PlannedLease, Load>();
  readonly #byId: ReadonlyMap<string, Load>;

  /** Begins with nothing; `leases` are all that will be put. */
  constructor(workers: readonly PlannedWorker[], leases: readonly PlannedLease[]) {
    const zones = new Map<string, Zone>();
    const loads = new Map<string, Load>();
    for (const worker of workers.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
      if (loads.has(worker.id)) continue;
      const zone = zones.get(worker.zone ?? '') ?? { weight: 0, capacity: 0, order: [] };
      zones.set(worker.zone ?? '', zone);
      const { id, standing, capacity = 1 } = worker;
      const mayReceive = standing === 'eligible';
      const load: Load = { id, zone, capacity, mayReceive, weight: 0, level: 0, leases: 0, movable: [] };
      loads.set(id, load);
      zone.capacity += capacity;
      zone.order.push(load);
    }
    this.#byId = loads;
    this.zones = [...zones.values()];
    const weight = leases.reduce((sum, lease) => sum + lease.weight, 0);
    this.share = weight / this.zones.reduce((sum, zone) => sum + zone.capacity, 0);
    this.averageLease = leases.length === 0 ? 0 : weight / leases.length;
    this.alike = Math.min(ALIKE_LEASES * this.averageLease, ALIKE_SHARE * this.share);
    this.rounding = ROUNDING * weight;
  }

  get(workerId: string): Load | undefined {
    return this.#byId.get(workerId);
  }

  put(load: Load, lease: PlannedLease): void {
    this.#add(load, lease.weight, 1);
    if (lease.state.kind !== 'handing') load.movable.push(lease);
  }

  move(from: Load, to: Load, lease: PlannedLease): void {
    from.movable.splice(from.movable.indexOf(lease), 1);
    this.#add(from, -lease.weight, -1);
    this.put(to, lease);
    this.moved.set(lease, to);
  }

  /** Weight that lies in this zone and would lie elsewhere if everything lay evenly; negative when it lacks some. */
  excess(zone: Zone): number {
    return zone.weight - this.share * zone.capacity;
  }

  /** Who has least and may be given more; among equals the one whose zone has least for its share. */
  leastLoaded(zones: readonly Zone[] = this.zones): Load | undefined {
    let least: Load | undefined;
    for (const { order } of zones) {
      const first = order.find(hasRoom);
      if (first && (!least || this.#compare(first, least) < 0)) least = first;
    }
    return least;
  }

  /** Who has most, of those that are not left out; among equals the one whose zone has most for its share. */
  mostLoaded(leftOut: ReadonlySet<Load>): Load | undefined {
    let most: Load | undefined;
    for (const { order } of this.zones) {
      const last = order.findLast((load) => !leftOut.has(load));
      if (last && (!most || this.#compare(last, most) > 0)) most = last;
    }
    return most;
  }

  #compare(a: Load, b: Load): number {
    const byLevel = a.level - b.level;
    return Math.abs(byLevel) > this.rounding ? byLevel : this.excess(a.zone) - this.excess(b.zone);
  }

  #add(load: Load, weight: number, leases: number): void {
    load.weight += weight;
    load.level = load.weight / load.capacity;
    load.leases += leases;
    load.zone.weight += weight;
    reorder(load);
  }
}

function hasRoom(load: Load): boolean {
  return load.mayReceive && load.leases < MAX_LEASES_PER_WORKER;
}

/** Puts a worker whose level has changed to where it belongs among those of its zone. Done for each lease: no garbage. */
function reorder(load: Load): void {
  const { order } = load.zone;
  const was = order.indexOf(load);
  let [low, high] = [0, order.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = order[middle < was ? middle : middle + 1]!;
    if (other.level < load.level || (other.level === load.level && other.id < load.id)) low = middle + 1;
    else high = middle;
  }
  for (let i = was; i < low; i++) order[i] = order[i + 1]!;
  for (let i = was; i > low; i--) order[i] = order[i - 1]!;
  order[low] = load;
}
