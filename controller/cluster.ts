/**
 * Port to the cluster that the fleet runs in: what Kubernetes says about the workers' pods, and the chores that only a
 * cluster has. It gives reasons to act early and never a right to act: every lease write stays conditional and fenced,
 * so what it says wrongly costs one move. The adapter is kube/; without Kubernetes there is `noCluster`.
 */
import type { FleetView } from './fleet-view.ts';

/**
 * ended: the process of this worker runs no more, as far as Kubernetes can tell. leaving: its pod was asked to
 * terminate: its leases go elsewhere at once, whether or not the worker has heard of it.
 */
export type PodVerdict = 'ended' | 'leaving';

/** What is known of a worker's pod that bears on what it is given. */
export interface PodPlace {
  /** Of its label; undefined = it has none. */
  readonly zone: string | undefined;
  /** It was ready, and is no more: kubelet gets no good answer from it, or its node is cut off. */
  readonly isUnready: boolean;
  /** There is a pod of a newer template: a rollout will replace this one. */
  readonly isOutdated: boolean;
}

export interface ClusterTermOptions {
  readonly view: FleetView;
  /** Told when a verdict may have changed, between two ticks. */
  readonly onNews: () => void;
  /** False while nothing may be changed: this is not our table. */
  readonly mayAct: () => boolean;
  readonly onError: (source: string, error: unknown) => void;
  /** Told whether the API answers, when that changes. */
  readonly onReachable: (isReachable: boolean) => void;
}

/** What one term of leadership knows of the cluster. */
export interface ClusterTerm {
  /** Of the given worker ids, those about which there is something to say. */
  judge(workerIds: readonly string[]): ReadonlyMap<string, PodVerdict>;
  /** Undefined for a worker without a known pod. */
  placeOf(workerId: string): PodPlace | undefined;
  /** A lease was taken from a worker that is gone; `reason` is how its death was seen. */
  tookLease(worker: string, reason: string): void;
  /** Follows the pods and does the chores beside the rounds, until the signal aborts. Never throws. */
  run(signal: AbortSignal): Promise<void>;
}

export interface Cluster {
  begin(options: ClusterTermOptions): ClusterTerm;
}

const NO_VERDICTS: ReadonlyMap<string, PodVerdict> = new Map();

/** Knows nothing and does nothing. */
export const noCluster: Cluster = {
  begin: () => ({
    judge: () => NO_VERDICTS,
    placeOf: () => undefined,
    tookLease: () => undefined,
    run: () => Promise.resolve(),
  }),
};
