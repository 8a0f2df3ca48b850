/**
 * Follows the worker pods: a LIST, then a WATCH from its version, taken up again where it ended. After any failure, or
 * when the version is too old, everything is listed anew. client-node's own informer stops for good on most errors and
 * lets handlers end the process; this one only ends with its signal, and what an ended watch still says is not heard.
 */
import type { V1Pod, Watch } from '@kubernetes/client-node';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { KubeClient } from './kube-client.ts';
import { EXPIRED, hasStatus, KubernetesError } from './kube-error.ts';

export interface PodHandlers {
  onListed(pods: readonly V1Pod[]): void;
  onChanged(pod: V1Pod): void;
  onDeleted(pod: V1Pod): void;
  /** The API does not answer, refuses, or a handler failed; pods are listed again after a pause. */
  onTrouble(error: unknown): void;
  /** Listed, or an event came. */
  onFine(): void;
}

export interface PodInformerOptions {
  readonly client: Pick<KubeClient, 'call' | 'core' | 'watch' | 'translate'>;
  readonly clock: Clock;
  readonly namespace: string;
  readonly labelSelector: string;
  readonly handlers: PodHandlers;
}

const BACKOFF = { baseMs: 200, maxMs: 10_000 };
/** The server ends a watch after this; client-node takes one without a word for 30 s for broken. */
const WATCH_SECONDS = 300;
/** A watch that ends sooner, without an event, is no progress: the next one waits. */
const SHORT_WATCH_MS = 1_000;

interface WatchEvent {
  readonly type: string;
  readonly object: V1Pod & { readonly code?: number; readonly message?: string };
}

export class PodInformer {
  readonly #options: PodInformerOptions;

  constructor(options: PodInformerOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, handlers } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const version = await this.#list(signal);
        await this.#follow(version, signal, () => {
          failures = 0;
        });
        failures++;
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        if (!hasStatus(error, EXPIRED)) handlers.onTrouble(error);
      }
      await clock.sleep(backoffMs(BACKOFF, failures), signal);
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, handlers, labelSelector, namespace } = this.#options;
    const listing = await client.call(
      'list pods',
      (options) => client.core.listNamespacedPod({ namespace, labelSelector }, options),
      signal,
    );
    if (signal.aborted) return '';
    handlers.onListed(listing.items);
    handlers.onFine();
    return listing.metadata?.resourceVersion ?? '';
  }

  /** Watch after watch, each from where the last one ended. Returns when one ended too soon. */
  async #follow(listedVersion: string, signal: AbortSignal, onProgress: () => void): Promise<void> {
    const { clock } = this.#options;
    let version = listedVersion;
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      const reached = await this.#watch(version, signal);
      if (reached === version && clock.monotonicMs() - startedMs < SHORT_WATCH_MS) return;
      version = reached;
      onProgress();
    }
  }

  /** The version of the last event. @throws KubernetesError */
  #watch(from: string, signal: AbortSignal): Promise<string> {
    const { client, labelSelector, namespace } = this.#options;
    const query = {
      ...{ resourceVersion: from, labelSelector, allowWatchBookmarks: true, timeoutSeconds: WATCH_SECONDS },
    };
    return new Promise((resolve, reject) => {
      let version = from;
      let isOver = false;
      let request: AbortController | undefined;
      const end = (error?: unknown): void => {
        if (isOver) return;
        isOver = true;
        signal.removeEventListener('abort', onAbort);
        request?.abort();
        if (error === undefined || error === null || isIdle(error)) resolve(version);
        else reject(client.translate('watch pods', error));
      };
      const onAbort = (): void => end();
      signal.addEventListener('abort', onAbort, { once: true });
      const onEvent: Parameters<Watch['watch']>[2] = (type, object) => {
        if (isOver) return;
        try {
          version = this.#take({ type, object }) ?? version;
        } catch (error) {
          end(error);
        }
      };
      client.watch.watch(`/api/v1/namespaces/${namespace}/pods`, query, onEvent, end).then((controller) => {
        request = controller;
        if (isOver) controller.abort();
      }, end);
    });
  }

  /** The version that the event brings. */
  #take({ type, object }: WatchEvent): string | undefined {
    const { handlers } = this.#options;
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        handlers.onChanged(object);
        break;
      case 'DELETED':
        handlers.onDeleted(object);
        break;
      case 'ERROR':
        throw new KubernetesError('watch pods', object.code, object.message ?? 'the watch was ended', undefined);
      default:
        break;
    }
    handlers.onFine();
    return object.metadata?.resourceVersion;
  }
}

/** client-node gives up a watch that was silent for 30 s: it may be a quiet fleet. */
function isIdle(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
