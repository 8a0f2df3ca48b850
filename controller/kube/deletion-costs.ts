/**
 * What `kubectl scale` down should take first: the pods with the fewest leases. Pure. Kubernetes compares the costs
 * only with each other, so nothing is written while they order the pods as their leases do.
 */

export interface CostedPod {
  readonly name: string;
  readonly uid: string;
  readonly leases: number;
  readonly cost: number;
}

/** The pods whose annotation must become their number of leases; none while the order is right. */
export function costsToWrite(pods: readonly CostedPod[]): CostedPod[] {
  if (isOrdered(pods)) return [];
  return pods.filter((pod) => pod.cost !== pod.leases);
}

/** Does every pod with fewer leases than another cost less? Among equals any order is right. */
function isOrdered(pods: readonly CostedPod[]): boolean {
  const byLeases = pods.toSorted((a, b) => a.leases - b.leases);
  let highestBefore = Number.NEGATIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  let leases = Number.NEGATIVE_INFINITY;
  for (const pod of byLeases) {
    if (pod.leases > leases) {
      highestBefore = highest;
      leases = pod.leases;
    }
    if (pod.cost <= highestBefore) return false;
    highest = Math.max(highest, pod.cost);
  }
  return true;
}
