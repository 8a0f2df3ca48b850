/**
 * The workers as the plan sees them, with what their pods say of them. While a rollout replaces pods, leases are not
 * given to those that will be replaced, and not evened out either: so each shard moves once, from an old pod to a new
 * one. A rollout that stands still for a while is none: then all workers count alike.
 */
import type { ClusterTerm } from '../cluster.ts';
import { type FleetWorker, isEligible } from '../fleet-view.ts';
import type { PlannedWorker } from './spread.ts';

/** A new pod is pulled, started and found ready within this. */
const PATIENCE_MS = 120_000;
const PERCENT = 100;

export interface PlannedWorkers {
  readonly workers: readonly PlannedWorker[];
  /** Old pods and new ones come and go: evening out now would be done again after each of them. */
  readonly isUnderWay: boolean;
}

export class Rollout {
  readonly #pods: Pick<ClusterTerm, 'placeOf'>;
  #members = '';
  #changedMs = 0;

  constructor(pods: Pick<ClusterTerm, 'placeOf'>) {
    this.#pods = pods;
  }

  look(workers: readonly FleetWorker[], nowMs: number): PlannedWorkers {
    const planned = workers.map((worker) => this.#plannedOf(worker));
    const eligible = planned.filter(({ standing }) => standing === 'eligible').map(({ id }) => id);
    const members = eligible.toSorted().join(' ');
    if (members !== this.#members) this.#changedMs = nowMs;
    this.#members = members;
    const outdated = new Set(eligible.filter((id) => this.#pods.placeOf(id)?.isOutdated));
    const isMixed = outdated.size > 0 && outdated.size < eligible.length;
    if (!isMixed || nowMs - this.#changedMs >= PATIENCE_MS) return { workers: planned, isUnderWay: false };
    const spared = planned.map((one) => (outdated.has(one.id) ? { ...one, standing: 'staying' as const } : one));
    return { workers: spared, isUnderWay: true };
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
