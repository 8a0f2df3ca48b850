/** The Deployment of the workers, read by name: the one right that the controller has on Deployments besides scaling. */
import type { KubeClient } from './kube-client.ts';
import { hasStatus, NOT_FOUND } from './kube-error.ts';

export interface DeploymentSeen {
  readonly uid: string;
  readonly resourceVersion: string;
  /** As wanted, by whomever. */
  readonly replicas: number;
}

export class WorkerDeployment {
  readonly namespace: string;
  readonly name: string;
  readonly #client: Pick<KubeClient, 'call' | 'apps'>;

  constructor(client: Pick<KubeClient, 'call' | 'apps'>, namespace: string, name: string) {
    this.#client = client;
    this.namespace = namespace;
    this.name = name;
  }

  /** Undefined when there is none, or it is being deleted. @throws KubernetesError */
  async read(signal: AbortSignal): Promise<DeploymentSeen | undefined> {
    const { name, namespace } = this;
    try {
      const { metadata, spec } = await this.#client.call(
        'read deployment',
        (options) => this.#client.apps.readNamespacedDeployment({ name, namespace }, options),
        signal,
      );
      if (!metadata?.uid || metadata.deletionTimestamp) return undefined;
      return { uid: metadata.uid, resourceVersion: metadata.resourceVersion ?? '', replicas: spec?.replicas ?? 1 };
    } catch (error) {
      if (hasStatus(error, NOT_FOUND)) return undefined;
      throw error;
    }
  }
}
