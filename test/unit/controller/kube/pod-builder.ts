/** Pods as an API server shows them, with what a test changes. */
import type { V1Pod } from '@kubernetes/client-node';
import type { KubeObject } from '../../../support/fake-kubernetes.ts';

export interface PodShape {
  readonly name?: string;
  readonly uid?: string;
  readonly phase?: string;
  readonly restarts?: number;
  readonly state?: 'running' | 'terminated' | 'back-off' | 'creating';
  readonly isLeaving?: boolean;
  readonly isReady?: boolean;
  readonly cost?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** As the API server writes it. */
  readonly createdAt?: string;
}

const STATES = {
  running: { state: { running: {} } },
  terminated: { state: { terminated: { exitCode: 137 } } },
  'back-off': {
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: { exitCode: 1 } },
  },
  creating: { state: { waiting: { reason: 'ContainerCreating' } } },
};

export function podObject(shape: PodShape = {}): KubeObject {
  const { name = 'w-1', uid = 'u1', restarts = 0, state = 'running' } = shape;
  return {
    metadata: {
      ...{ name, uid },
      ...(shape.labels ? { labels: shape.labels } : {}),
      ...(shape.createdAt ? { creationTimestamp: shape.createdAt } : {}),
      ...(shape.isLeaving ? { deletionTimestamp: '2026-11-21T10:00:30Z' } : {}),
      ...(shape.cost === undefined
        ? {}
        : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': String(shape.cost) } }),
    },
    spec: { containers: [{ name: 'injected' }, { name: 'worker' }] },
    status: {
      phase: shape.phase ?? 'Running',
      conditions: [{ type: 'Ready', status: (shape.isReady ?? true) ? 'True' : 'False' }],
      containerStatuses: [
        { name: 'injected', restartCount: 7, containerID: 'cri://other', state: { running: {} } },
        { name: 'worker', restartCount: restarts, containerID: `cri://${uid}-${restarts}`, ...STATES[state] },
      ],
    },
  };
}

export function pod(shape: PodShape = {}): V1Pod {
  return podObject(shape) as unknown as V1Pod;
}
