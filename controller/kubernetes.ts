/**
 * Everything of a controller that runs in Kubernetes, made from its settings. Loaded only there: the Kubernetes client
 * costs 94 MB.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type Leadership, RowLeadership } from '../lease/leadership.ts';
import type { FleetStore } from '../lease/worker-store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Cluster } from './cluster.ts';
import type { ControllerSettings } from './config.ts';
import { type KubeAccess, KubeClient } from './kube/kube-client.ts';
import { KubeCluster } from './kube/kube-cluster.ts';
import { KubeLeaderRecords } from './kube/kube-leader-records.ts';
import { RecordLeaderStore } from './leader/record-leader-store.ts';

/** As client-go's leader election has them by default. */
const LEASE_DURATION_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;

export interface KubernetesParts {
  readonly leadership: Leadership;
  readonly cluster: Cluster;
}

export interface KubernetesPartsOptions {
  readonly settings: ControllerSettings;
  readonly access: KubeAccess;
  readonly fleet: FleetStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Connects when first used. */
export function composeKubernetes({ settings, access, fleet, clock, logger }: KubernetesPartsOptions): KubernetesParts {
  const client = new KubeClient(access, clock);
  const { podNamespace: namespace = '', podName = hostname(), workerSelector = '', workerDeployment = '' } = settings;
  const { initialReplicas, leaderLeaseName = '', controllerDeployment: owner } = settings;
  const store = new RecordLeaderStore({
    records: new KubeLeaderRecords({ client, namespace, name: leaderLeaseName, owner }),
    clock,
    leaseDurationMs: LEASE_DURATION_MS,
  });
  return {
    leadership: new RowLeadership({
      ...{ store, clock, logger, leaseDurationMs: LEASE_DURATION_MS, renewDeadlineMs: RENEW_DEADLINE_MS },
      retryMs: RETRY_MS,
      holder: `${podName}_${randomBytes(6).toString('hex')}`,
    }),
    cluster: new KubeCluster({
      ...{ client, clock, logger, fleet, namespace, workerSelector, workerDeployment, initialReplicas, podName },
    }),
  };
}
