/**
 * Gives a worker Deployment its initial replicas at its first start, once: the manifest must not contain `replicas`,
 * or every upgrade would fight `kubectl scale`. The fleet row remembers the Deployment's UID, so that a reinstall is a
 * first start and a new controller is none. Scaled first and remembered then: who dies in between leaves a scale that
 * is not the default any more, and such a scale is somebody's wish.
 */
import type { FleetStore } from '../../lease/worker-store.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Reconciler } from '../reconciler.ts';
import { asMergePatch, type KubeClient } from './kube-client.ts';
import { CONFLICT, hasStatus } from './kube-error.ts';
import type { WorkerDeployment } from './worker-deployment.ts';

export interface InitialScaleOptions {
  readonly client: Pick<KubeClient, 'call' | 'apps'>;
  readonly deployment: WorkerDeployment;
  readonly fleet: Pick<FleetStore, 'readFleet' | 'rememberScaled'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly replicas: number;
}

/** What a Deployment without `replicas` gets from the API server. */
const DEFAULT_REPLICAS = 1;
/** A Deployment that is deleted and made again is seen this soon. */
const LOOK_MS = 30_000;
const RETRY_MS = 1_000;

export function createInitialScale(options: InitialScaleOptions): Reconciler {
  const { client, deployment, fleet, clock, logger, replicas } = options;
  const { namespace, name } = deployment;
  let nextLookMs = Number.NEGATIVE_INFINITY;

  /** False when the Deployment was changed meanwhile: look again. */
  async function scale(resourceVersion: string, signal: AbortSignal): Promise<boolean> {
    const body = { metadata: { resourceVersion }, spec: { replicas } };
    try {
      await client.call(
        'patch deployment scale',
        (call) => client.apps.patchNamespacedDeploymentScale({ namespace, name, body }, asMergePatch(call)),
        signal,
      );
      logger.info('worker deployment got its initial replicas', { deployment: name, replicas });
      return true;
    } catch (error) {
      if (hasStatus(error, CONFLICT)) return false;
      throw error;
    }
  }

  /** False when there is something left to do. */
  async function settle(signal: AbortSignal): Promise<boolean> {
    const [found, row] = await Promise.all([deployment.read(signal), fleet.readFleet()]);
    if (!found || !row) return false;
    if (row.scaledDeploymentUid === found.uid) return true;
    const isUntouched = found.replicas === DEFAULT_REPLICAS && replicas !== DEFAULT_REPLICAS;
    if (isUntouched && !(await scale(found.resourceVersion, signal))) return false;
    return fleet.rememberScaled(found.uid);
  }

  return {
    name: 'initial-scale',
    async reconcile(view, signal) {
      const nowMs = clock.monotonicMs();
      if (!view.fleet || nowMs < nextLookMs) return;
      nextLookMs = nowMs + RETRY_MS;
      if (await settle(signal)) nextLookMs = nowMs + LOOK_MS;
    },
  };
}
