/**
 * The workers as the plan sees them, with what their pods say of them. While a rollout replaces pods, leases are not
 * given to those that will be replaced, and not evened out either: so each shard moves once, from an old pod to a new
 * one. A rollout that stands still for a while is none: then all workers count alike. Workers that come together get
 * their shares together, when none has come for a moment.
 */
import type { ClusterTerm } from '../cluster.ts';
import { type FleetWorker, isEligible } from '../fleet-view.ts';
import type { PlannedWorker } from './spread.ts';

/** A new pod is pulled, started and found ready within this. */
const PATIENCE_MS = 120_000;
/** Pods of one scale-up start within so much of each other; whoever begins has the processor to itself then. */
const LULL_MS = 1_000;
const LONGEST_LULL_WAIT_MS = 5_000;
const PERCENT = 100;

export interface PlannedWorkers {
  readonly workers: readonly PlannedWorker[];
  /** Workers come and go: evening out now would be done again after each of them. */
  readonly isUnderWay: boolean;
}

export class Rollout {
  readonly #pods: Pick<ClusterTerm, 'placeOf'>;
  #members = new Set<string>();
  #changedMs = 0;
  #arrivals: { readonly firstMs: number; readonly lastMs: number } | undefined;

  constructor(pods: Pick<ClusterTerm, 'placeOf'>) {
    this.#pods = pods;
  }

  look(workers: readonly FleetWorker[], nowMs: number): PlannedWorkers {
    const planned = workers.map((worker) => this.#plannedOf(worker));
    const eligible = planned.filter(({ standing }) => standing === 'eligible').map(({ id }) => id);
    const isArriving = this.#see(eligible, nowMs);
    const outdated = new Set(eligible.filter((id) => this.#pods.placeOf(id)?.isOutdated));
    const isMixed = outdated.size > 0 && outdated.size < eligible.length;
    if (!isMixed || nowMs - this.#changedMs >= PATIENCE_MS) return { workers: planned, isUnderWay: isArriving };
    const spared = planned.map((one) => (outdated.has(one.id) ? { ...one, standing: 'staying' as const } : one));
    return { workers: spared, isUnderWay: true };
  }

  /** Has one come so lately that more may follow? Those who were there at the first look have not come. */
  #see(eligible: readonly string[], nowMs: number): boolean {
    const before = this.#members;
    this.#members = new Set(eligible);
    const hasNew = eligible.some((id) => !before.has(id));
    if (hasNew || before.size !== this.#members.size) this.#changedMs = nowMs;
    if (hasNew && before.size > 0) this.#arrivals = { firstMs: this.#arrivals?.firstMs ?? nowMs, lastMs: nowMs };
    if (!this.#arrivals) return false;
    const { firstMs, lastMs } = this.#arrivals;
    if (nowMs - lastMs < LULL_MS && nowMs - firstMs < LONGEST_LULL_WAIT_MS) return true;
    this.#arrivals = undefined;
    return false;
  }

  #plannedOf(worker: FleetWorker): PlannedWorker {
    const { id, row, dead } = worker;
    const place = this.#pods.placeOf(id);
    const capacity = (row?.load.capacity ?? PERCENT) / PERCENT;
    const known = { id, capacity, zone: row?.load.zone ?? place?.zone };
    if (!isEligible(worker)) return { ...known, standing: dead === undefined ? 'leaving' : 'dead' };
    return { ...known, standing: place?.isUnready ? 'staying' : 'eligible' };
  }
}
