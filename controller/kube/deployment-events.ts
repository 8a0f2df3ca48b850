/**
 * Events on the worker Deployment, where `kubectl describe` shows them: leases that were lost to the death of a
 * worker, and shards that nobody reads. Few: per reason one write in half a minute, which sums up what happened since,
 * and one object in ten minutes, whose count grows.
 */
import { randomBytes } from 'node:crypto';
import { type CoreV1Event, V1MicroTime } from '@kubernetes/client-node';
import { type Clock, isoTime } from '../../runtime/clock.ts';
import { asMergePatch, type KubeClient } from './kube-client.ts';
import { hasStatus, NOT_FOUND } from './kube-error.ts';
import type { WorkerDeployment } from './worker-deployment.ts';

export interface DeploymentEventsOptions {
  readonly client: Pick<KubeClient, 'call' | 'core'>;
  readonly deployment: WorkerDeployment;
  readonly clock: Clock;
  /** The pod that reports. */
  readonly reporter: string;
}

export type EventReason = 'LeasesLost' | 'ShardsStalled';

interface Series {
  readonly name: string;
  readonly createdMs: number;
  readonly count: number;
  readonly writtenMs: number;
}

const COMPONENT = 'kinesis-fleet-controller';
const MIN_GAP_MS = 30_000;
const SERIES_MS = 600_000;

export class DeploymentEvents {
  readonly #options: DeploymentEventsOptions;
  readonly #series = new Map<EventReason, Series>();

  constructor(options: DeploymentEventsOptions) {
    this.#options = options;
  }

  /** May an event of this reason be written now? */
  mayReport(reason: EventReason): boolean {
    const series = this.#series.get(reason);
    return !series || this.#options.clock.monotonicMs() - series.writtenMs >= MIN_GAP_MS;
  }

  /** Nothing happens when there is no Deployment. @throws KubernetesError */
  async report(reason: EventReason, message: string, signal: AbortSignal): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const series = this.#series.get(reason);
    if (series && nowMs - series.createdMs < SERIES_MS && (await this.#repeat(series, message, signal))) {
      this.#series.set(reason, { ...series, count: series.count + 1, writtenMs: nowMs });
      return;
    }
    const name = await this.#create(reason, message, signal);
    if (name !== undefined) this.#series.set(reason, { name, createdMs: nowMs, count: 1, writtenMs: nowMs });
  }

  /** False when the event ran out meanwhile. */
  async #repeat(series: Series, message: string, signal: AbortSignal): Promise<boolean> {
    const { client, clock, deployment } = this.#options;
    const body = { count: series.count + 1, message, lastTimestamp: isoTime(clock.wallMs()) };
    const event = { namespace: deployment.namespace, name: series.name, body };
    try {
      await client.call(
        'patch event',
        (options) => client.core.patchNamespacedEvent(event, asMergePatch(options)),
        signal,
      );
      return true;
    } catch (error) {
      if (hasStatus(error, NOT_FOUND)) return false;
      throw error;
    }
  }

  async #create(reason: EventReason, message: string, signal: AbortSignal): Promise<string | undefined> {
    const { client, clock, deployment, reporter } = this.#options;
    const { namespace } = deployment;
    const found = await deployment.read(signal);
    if (!found) return undefined;
    const name = `${deployment.name}.${randomBytes(8).toString('hex')}`;
    const now = new V1MicroTime(clock.wallMs());
    const body: CoreV1Event = {
      metadata: { name, namespace },
      involvedObject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: deployment.name, uid: found.uid },
      type: 'Warning',
      ...{ reason, message, count: 1, firstTimestamp: now, lastTimestamp: now },
      source: { component: COMPONENT, host: reporter },
      reportingComponent: COMPONENT,
      reportingInstance: reporter,
    };
    await client.call(
      'create event',
      (options) => client.core.createNamespacedEvent({ namespace, body }, options),
      signal,
    );
    return name;
  }
}
