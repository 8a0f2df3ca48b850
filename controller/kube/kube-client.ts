/**
 * The one connection to the Kubernetes API. client-node would open a TLS connection per call, wait for ever and patch
 * with the wrong content type: here every call has a deadline and all share one dispatcher, which is renewed after a
 * failure without an answer (the cluster's CA may have changed).
 */
import {
  AppsV1Api,
  type Cluster,
  type ConfigurationOptions,
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  Observable,
  type RequestContext,
  type User,
  Watch,
} from '@kubernetes/client-node';
import type { Clock } from '../../runtime/clock.ts';
import { toKubernetesError } from './kube-error.ts';

const CALL_TIMEOUT_MS = 5_000;

/** How to reach the API: as a pod does, as kubectl does (KUBECONFIG), or at a given server. */
export type KubeAccess = 'in-cluster' | 'kubeconfig' | { readonly cluster: Cluster; readonly user: User };

export class KubeClient {
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly coordination: CoordinationV1Api;
  readonly watch: Watch;
  readonly #config: SharedConnection;
  readonly #clock: Clock;

  constructor(access: KubeAccess, clock: Clock) {
    this.#clock = clock;
    this.#config = new SharedConnection();
    if (access === 'in-cluster') this.#config.loadFromCluster();
    else if (access === 'kubeconfig') this.#config.loadFromDefault();
    else this.#config.loadFromClusterAndUser(access.cluster, access.user);
    this.core = this.#config.makeApiClient(CoreV1Api);
    this.apps = this.#config.makeApiClient(AppsV1Api);
    this.coordination = this.#config.makeApiClient(CoordinationV1Api);
    this.watch = new Watch(this.#config);
  }

  /** Runs one call with a deadline. @throws KubernetesError, also when the signal aborts first. */
  async call<T>(
    operation: string,
    send: (options: ConfigurationOptions) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const done = new AbortController();
    const ends = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
    try {
      return await send(callOptions(this.#clock.deadline(CALL_TIMEOUT_MS, ends)));
    } catch (error) {
      throw this.translate(operation, error);
    } finally {
      done.abort();
    }
  }

  translate(operation: string, error: unknown): Error {
    const translated = toKubernetesError(operation, error);
    if (translated.status === undefined) this.#config.forgetConnection();
    return translated;
  }
}

/** Options of one call with another content type: a merge patch instead of client-node's JSON patch. */
export function asMergePatch(options: ConfigurationOptions): ConfigurationOptions {
  return withRequest(options, (request) => request.setHeaderParam('Content-Type', 'application/merge-patch+json'));
}

function callOptions(signal: AbortSignal): ConfigurationOptions {
  return withRequest({}, (request) => request.setSignal(signal));
}

function withRequest(options: ConfigurationOptions, change: (request: RequestContext) => void): ConfigurationOptions {
  const middleware = {
    pre(request: RequestContext) {
      change(request);
      return new Observable(Promise.resolve(request));
    },
    post: <T>(response: T) => new Observable(Promise.resolve(response)),
  };
  return { middleware: [...(options.middleware ?? []), middleware], middlewareMergeStrategy: 'append' };
}

/** Credentials are read anew for each call (tokens rotate); the connections stay. */
class SharedConnection extends KubeConfig {
  #dispatcher: ReturnType<RequestContext['getDispatcher']>;

  override async applySecurityAuthentication(request: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(request);
    this.#dispatcher ??= request.getDispatcher();
    if (this.#dispatcher) request.setDispatcher(this.#dispatcher);
  }

  forgetConnection(): void {
    this.#dispatcher = undefined;
  }
}
