/**
 * Keeps the pods' deletion costs in the order of their leases, so that scaling down takes the least loaded. Written
 * through `pods/status`: the right to patch a pod could swap its image.
 */
import { isFinished } from '../../lease/lease.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type FleetView, leasesByShard } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import type { Reconciler } from '../reconciler.ts';
import { type CostedPod, costsToWrite } from './deletion-costs.ts';
import { asMergePatch, type KubeClient } from './kube-client.ts';
import { CONFLICT, hasStatus, INVALID, NOT_FOUND } from './kube-error.ts';
import type { PodRoster } from './pod-roster.ts';
import { DELETION_COST } from './worker-pod.ts';

export interface PodCostsOptions {
  readonly client: Pick<KubeClient, 'call' | 'core'>;
  readonly roster: Pick<PodRoster, 'pods'>;
  readonly clock: Clock;
  readonly namespace: string;
}

/** While leases move the order changes all the time: it is looked at this often. */
const LOOK_MS = 5_000;
const WRITES_AT_ONCE = 4;

export function createPodCosts({ client, roster, clock, namespace }: PodCostsOptions): Reconciler {
  let lookedMs = Number.NEGATIVE_INFINITY;

  /** The UID makes it fail when the pod of this name is another one by now. */
  async function write({ name, uid, leases }: CostedPod, signal: AbortSignal): Promise<void> {
    const body = { metadata: { uid, annotations: { [DELETION_COST]: String(leases) } } };
    try {
      await client.call(
        'patch pod status',
        (options) => client.core.patchNamespacedPodStatus({ name, namespace, body }, asMergePatch(options)),
        signal,
      );
    } catch (error) {
      if (![NOT_FOUND, CONFLICT, INVALID].some((status) => hasStatus(error, status))) throw error;
    }
  }

  return {
    name: 'pod-costs',
    async reconcile(view, signal) {
      const nowMs = clock.monotonicMs();
      if (!view.leases.isComplete() || !view.workers || nowMs - lookedMs < LOOK_MS) return;
      lookedMs = nowMs;
      const leases = leasesByPrefix(view);
      const staying = roster.pods().filter((pod) => !pod.isLeaving && !pod.hasEnded);
      const pods = staying.map(({ name, uid, workerPrefix, deletionCost }) => {
        return { name, uid, leases: leases.get(workerPrefix) ?? 0, cost: deletionCost };
      });
      await inParallel(costsToWrite(pods), WRITES_AT_ONCE, async (pod) => {
        if (!signal.aborted) await write(pod, signal);
      });
    },
  };
}

/** Leases by the pod of their owner: what a worker id begins with. */
function leasesByPrefix(view: FleetView): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const lease of leasesByShard(view).values()) {
    if (lease.owner === undefined || isFinished(lease)) continue;
    const prefix = lease.owner.slice(0, lease.owner.lastIndexOf('-') + 1);
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  return counts;
}
