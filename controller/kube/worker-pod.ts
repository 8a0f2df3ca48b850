/**
 * A worker's pod, reduced to what decides about its worker. Pure. A pod that is not ready is no dead one: readiness
 * decides only about what it is given, other conditions and nodes are not looked at.
 */
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { workerIdPrefix } from '../../lease/worker-id.ts';
import { parseIsoTime } from '../../runtime/clock.ts';

/** One life of the worker's container: an in-place restart keeps pod, name, UID and IP, and is told by these. */
export interface ContainerLife {
  readonly id: string;
  readonly restarts: number;
  readonly state: 'running' | 'terminated' | 'other';
}

export interface WorkerPod {
  readonly name: string;
  readonly uid: string;
  /** Begins the ids of the workers that run in it. */
  readonly workerPrefix: string;
  /** Undefined until kubelet has reported it. */
  readonly container: ContainerLife | undefined;
  /** Phase Succeeded or Failed (also evicted): nothing runs in it any more, and nothing will. */
  readonly hasEnded: boolean;
  /** Has a deletionTimestamp. It stays ready while it drains. */
  readonly isLeaving: boolean;
  readonly isReady: boolean;
  /** Label topology.kubernetes.io/zone: Kubernetes copies it from the node where its policy says so. */
  readonly zone: string | undefined;
  /** Tells pods of one template from those of another. */
  readonly template: string | undefined;
  /** By the API server's clock, seconds exact. */
  readonly createdMs: number;
  /** 0 where it is not annotated, as for Kubernetes. */
  readonly deletionCost: number;
}

export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const ZONE = 'topology.kubernetes.io/zone';
/** Of a Deployment's pods, and of a StatefulSet's. */
const TEMPLATES = ['pod-template-hash', 'controller-revision-hash'] as const;
/** Injected sidecars may come first in the list. */
const WORKER_CONTAINER = 'worker';

/** Undefined for a pod without name or UID, which no API server sends. */
export function workerPodOf(pod: V1Pod): WorkerPod | undefined {
  const { name, uid, deletionTimestamp, creationTimestamp, annotations, labels } = pod.metadata ?? {};
  if (!name || !uid) return undefined;
  const cost = Number(annotations?.[DELETION_COST] ?? 0);
  const phase = pod.status?.phase;
  return {
    name,
    uid,
    workerPrefix: workerIdPrefix(name, uid),
    container: containerOf(pod),
    hasEnded: phase === 'Succeeded' || phase === 'Failed',
    isLeaving: deletionTimestamp !== undefined,
    isReady: pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    zone: labels?.[ZONE],
    template: TEMPLATES.map((label) => labels?.[label]).find((hash) => hash !== undefined),
    createdMs: createdMsOf(creationTimestamp),
    deletionCost: Number.isFinite(cost) ? cost : 0,
  };
}

/** A list gives a Date, a watch the text that the API server sent. */
function createdMsOf(timestamp: unknown): number {
  return (typeof timestamp === 'string' ? parseIsoTime(timestamp) : Number(timestamp ?? 0)) ?? 0;
}

/** Did the life that was seen running end, by what is seen now? */
export function isOver(life: ContainerLife, now: ContainerLife | undefined): boolean {
  if (!now) return false;
  if (now.restarts > life.restarts) return true;
  if (now.id !== '' && life.id !== '' && now.id !== life.id) return true;
  return now.state === 'terminated';
}

export function isSameLife(a: ContainerLife, b: ContainerLife): boolean {
  return a.id === b.id && a.restarts === b.restarts;
}

function containerOf(pod: V1Pod): ContainerLife | undefined {
  const containers = pod.spec?.containers ?? [];
  const name = (containers.find((one) => one.name === WORKER_CONTAINER) ?? containers[0])?.name;
  const status = pod.status?.containerStatuses?.find((one) => one.name === name);
  return status && { id: status.containerID ?? '', restarts: status.restartCount, state: stateOf(status) };
}

/** Between two lives (back-off) a container waits, and only its last state tells that it ended. */
function stateOf({ state, lastState }: V1ContainerStatus): ContainerLife['state'] {
  if (state?.running) return 'running';
  return state?.terminated || (state?.waiting && lastState?.terminated) ? 'terminated' : 'other';
}
