/**
 * Heal leases: each finished shard that the audit found behind its end gets one, and each of them a worker that lives.
 * Level-based like every reconciler: what is wanted comes from the audit, what is there from the lease rows.
 */
import { healedKeyOf, healKeyOf, isHealKey } from '../../lease/heal-lease.ts';
import { isFinished, type Lease, type LeaseKey } from '../../lease/lease.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type FleetView, type FleetWorker, isEligible } from '../fleet-view.ts';
import type { Reconciler } from '../reconciler.ts';

export interface HealLeasesOptions {
  /** Lease keys of finished shards; what is seen healed is taken out. */
  readonly wanted: Set<LeaseKey>;
  readonly logger: Logger;
}

export function createHealLeases({ wanted, logger }: HealLeasesOptions): Reconciler {
  async function begin(view: FleetView, key: LeaseKey): Promise<void> {
    const heal = view.leases.get(healKeyOf(key));
    if (heal && !isFinished(heal)) return;
    wanted.delete(key);
    const checkpoint = { kind: 'TRIM_HORIZON' } as const;
    const isNew = heal
      ? await view.leases.reset(heal, checkpoint)
      : await view.leases.create({ key: healKeyOf(key), checkpoint, parents: [] });
    if (isNew) logger.warn('a finished shard is behind its end: healing', { leaseKey: key });
  }

  async function give(view: FleetView, heal: Lease, workers: ReadonlyMap<string, FleetWorker>): Promise<void> {
    const healed = view.leases.get(healedKeyOf(heal.key));
    if (!healed || !isFinished(healed)) {
      await view.leases.remove(heal);
      return;
    }
    const owner = heal.owner === undefined ? undefined : workers.get(heal.owner);
    if (isFinished(heal) || (owner && owner.dead === undefined)) return;
    const next = leastLoaded(view, workers);
    if (next === undefined) return;
    if (heal.owner === undefined) await view.leases.assign(heal, next);
    else await view.leases.take(heal, heal.owner, next);
  }

  return {
    name: 'heal-leases',
    async reconcile(view, signal) {
      if (!view.leases.isComplete() || !view.workers) return;
      for (const key of [...wanted]) if (!signal.aborted) await begin(view, key);
      for (const lease of understood(view.leases)) if (!signal.aborted) await give(view, lease, view.workers);
    },
  };
}

/** Heal leases but those whose shard's row is broken: it may well say that the shard is finished, so its healer goes on. */
function understood(leases: FleetView['leases']): Lease[] {
  return leases.all().filter(({ key }) => isHealKey(key) && !leases.broken().has(healedKeyOf(key)));
}

/** The worker that may be given more and has the fewest leases; by id among equals. */
function leastLoaded(view: FleetView, workers: ReadonlyMap<string, FleetWorker>): string | undefined {
  const held = new Map<string, number>();
  for (const { owner } of view.leases.all()) if (owner !== undefined) held.set(owner, (held.get(owner) ?? 0) + 1);
  const eligible = [...workers.values()].filter(isEligible).map(({ id }) => id);
  return eligible.toSorted((a, b) => (held.get(a) ?? 0) - (held.get(b) ?? 0) || (a < b ? -1 : 1))[0];
}
