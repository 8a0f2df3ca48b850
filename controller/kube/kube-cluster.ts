/**
 * The cluster as one term of leadership sees it: the pods as the informer reports them, and the chores of a cluster,
 * which run beside the rounds so that an API that hangs never delays an assignment.
 */
import type { FleetStore } from '../../lease/worker-store.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorFields, type Logger } from '../../runtime/logger.ts';
import type { Cluster, ClusterTerm, ClusterTermOptions } from '../cluster.ts';
import type { Reconciler } from '../reconciler.ts';
import { Turns } from '../turns.ts';
import { DeploymentEvents } from './deployment-events.ts';
import { createFleetNews } from './fleet-news.ts';
import { createInitialScale } from './initial-scale.ts';
import type { KubeClient } from './kube-client.ts';
import { createPodCosts } from './pod-costs.ts';
import { PodInformer } from './pod-informer.ts';
import { PodRoster } from './pod-roster.ts';
import { WorkerDeployment } from './worker-deployment.ts';
import { type WorkerPod, workerPodOf } from './worker-pod.ts';

export interface KubeClusterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fleet: Pick<FleetStore, 'readFleet' | 'rememberScaled'>;
  readonly namespace: string;
  /** Label selector of the workers' pods. */
  readonly workerSelector: string;
  readonly workerDeployment: string;
  /** Undefined = the scale is left alone. */
  readonly initialReplicas: number | undefined;
  /** Name of this controller's pod. */
  readonly podName: string;
}

const CHORES_MS = 1_000;
const CHORE_TURN_MS = 10_000;

export class KubeCluster implements Cluster {
  readonly #options: KubeClusterOptions;

  constructor(options: KubeClusterOptions) {
    this.#options = options;
  }

  begin(term: ClusterTermOptions): ClusterTerm {
    const { client, clock, namespace, workerDeployment, podName } = this.#options;
    const roster = new PodRoster();
    const deployment = new WorkerDeployment(client, namespace, workerDeployment);
    const events = new DeploymentEvents({ client, deployment, clock, reporter: podName });
    const news = createFleetNews({ events, clock });
    const chores = [...this.#scaling(deployment), createPodCosts({ client, roster, clock, namespace }), news];
    return {
      judge: (workerIds) => roster.judge(workerIds, clock.monotonicMs()),
      placeOf: (workerId) => roster.placeOf(workerId),
      tookLease: (worker, reason) => news.tookLease(worker, reason),
      run: async (signal) => {
        await Promise.all([this.#informer(roster, term).run(signal), this.#chores(chores, term, signal)]);
      },
    };
  }

  #scaling(deployment: WorkerDeployment): Reconciler[] {
    const { client, clock, logger, fleet, initialReplicas: replicas } = this.#options;
    if (replicas === undefined) return [];
    return [createInitialScale({ ...{ client, deployment, fleet, clock, logger, replicas } })];
  }

  #informer(roster: PodRoster, { onNews, onError, onReachable }: ClusterTermOptions): PodInformer {
    const { client, clock, logger, namespace, workerSelector: labelSelector } = this.#options;
    let isFine: boolean | undefined;
    const become = (now: boolean): void => {
      if (now !== isFine) onReachable(now);
      isFine = now;
    };
    const put = (pod: WorkerPod | undefined): void => {
      if (pod && roster.put(pod)) onNews();
    };
    return new PodInformer({
      ...{ client, clock, namespace, labelSelector },
      handlers: {
        onListed(pods) {
          if (roster.replaceAll(pods.map(workerPodOf).filter((pod) => pod !== undefined))) onNews();
        },
        onChanged: (pod) => put(workerPodOf(pod)),
        onDeleted(pod) {
          const gone = workerPodOf(pod);
          if (gone && roster.remove(gone)) onNews();
        },
        onTrouble(error) {
          if (isFine !== false) logger.warn('worker pods cannot be followed', errorFields(error));
          onError('pods', error);
          become(false);
        },
        onFine: () => become(true),
      },
    });
  }

  async #chores(chores: readonly Reconciler[], term: ClusterTermOptions, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const { view, mayAct, onError } = term;
    const turns = new Turns({ clock, logger, turnMs: CHORE_TURN_MS, onEnd: () => undefined, onError });
    while (!signal.aborted) {
      await clock.sleep(CHORES_MS, signal);
      for (const chore of chores) {
        if (!signal.aborted && mayAct()) await turns.take(chore, view, signal);
      }
    }
  }
}
