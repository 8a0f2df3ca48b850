/**
 * LeaderRecords on a coordination.k8s.io Lease. What others put on the object (labels of a chart, owner references)
 * stays; a write replaces exactly the resourceVersion that was seen. A Lease made here belongs to the controllers'
 * Deployment, so that Kubernetes removes it with that; a controller that is left over makes no other.
 */
import { type V1Lease, V1MicroTime, type V1ObjectMeta, type V1OwnerReference } from '@kubernetes/client-node';
import { parseIsoTime } from '../../runtime/clock.ts';
import type { LeaderRecord, LeaderRecords, StoredLeaderRecord } from '../leader-records.ts';
import type { KubeClient } from './kube-client.ts';
import { CONFLICT, FORBIDDEN, hasStatus, NOT_FOUND } from './kube-error.ts';

export interface KubeLeaderRecordsOptions {
  readonly client: Pick<KubeClient, 'call' | 'apps' | 'coordination'>;
  readonly namespace: string;
  readonly name: string;
  /** Name of the Deployment that a new Lease belongs to; undefined = to nobody. */
  readonly owner: string | undefined;
}

export class KubeLeaderRecords implements LeaderRecords {
  readonly #client: Pick<KubeClient, 'call' | 'apps' | 'coordination'>;
  readonly #namespace: string;
  readonly #name: string;
  readonly #owner: string | undefined;
  #metadata: V1ObjectMeta = {};

  constructor(options: KubeLeaderRecordsOptions) {
    this.#client = options.client;
    this.#namespace = options.namespace;
    this.#name = options.name;
    this.#owner = options.owner;
  }

  async read(): Promise<StoredLeaderRecord | undefined> {
    const where = { namespace: this.#namespace, name: this.#name };
    try {
      const lease = await this.#client.call('read lease', (options) =>
        this.#client.coordination.readNamespacedLease(where, options),
      );
      return this.#seen(lease);
    } catch (error) {
      if (hasStatus(error, NOT_FOUND)) return undefined;
      throw error;
    }
  }

  async write(record: LeaderRecord, seenVersion: string | undefined): Promise<StoredLeaderRecord | undefined> {
    try {
      const written = seenVersion === undefined ? await this.#create(record) : await this.#replace(record, seenVersion);
      return this.#seen(written);
    } catch (error) {
      // Created, replaced or deleted by somebody else meanwhile. Nothing to create it in is another matter.
      if (hasStatus(error, CONFLICT) || (seenVersion !== undefined && hasStatus(error, NOT_FOUND))) return undefined;
      throw error;
    }
  }

  /** The next write replaces this one, and keeps what is on it. */
  #seen(lease: V1Lease): StoredLeaderRecord {
    this.#metadata = lease.metadata ?? {};
    return recordOf(lease);
  }

  async #create(record: LeaderRecord): Promise<V1Lease> {
    const namespace = this.#namespace;
    const ownerReferences = await this.#ownerReferences();
    const body = leaseOf(record, { name: this.#name, namespace, ownerReferences });
    return this.#client.call('create lease', (options) =>
      this.#client.coordination.createNamespacedLease({ namespace, body }, options),
    );
  }

  /** Fails when the Deployment is gone: this controller will be gone in a moment, and its Lease would stay for good. */
  async #ownerReferences(): Promise<V1OwnerReference[]> {
    const name = this.#owner;
    if (name === undefined) return [];
    try {
      const { metadata } = await this.#client.call('read own deployment', (options) =>
        this.#client.apps.readNamespacedDeployment({ name, namespace: this.#namespace }, options),
      );
      return [{ apiVersion: 'apps/v1', kind: 'Deployment', name, uid: metadata?.uid ?? '' }];
    } catch (error) {
      // A Role of somebody's own making need not have this right. To lead matters more than to leave nothing.
      if (hasStatus(error, FORBIDDEN)) return [];
      throw error;
    }
  }

  #replace(record: LeaderRecord, resourceVersion: string): Promise<V1Lease> {
    const where = { namespace: this.#namespace, name: this.#name };
    const { managedFields: _managed, ...kept } = this.#metadata;
    const body = leaseOf(record, { ...kept, ...where, resourceVersion });
    return this.#client.call('replace lease', (options) =>
      this.#client.coordination.replaceNamespacedLease({ ...where, body }, options),
    );
  }
}

function recordOf({ metadata, spec }: V1Lease): StoredLeaderRecord {
  return {
    version: metadata?.resourceVersion ?? '',
    holder: spec?.holderIdentity ?? '',
    leaseDurationMs: (spec?.leaseDurationSeconds ?? 0) * 1_000,
    acquiredMs: wallMsOf(spec?.acquireTime),
    renewedMs: wallMsOf(spec?.renewTime),
    transitions: spec?.leaseTransitions ?? 0,
  };
}

/** client-node declares a V1MicroTime and gives the text as it came. */
function wallMsOf(time: unknown): number {
  return parseIsoTime(JSON.parse(JSON.stringify(time ?? ''))) ?? 0;
}

/** The API refuses a lease time without microseconds. */
function leaseOf(record: LeaderRecord, metadata: V1ObjectMeta): V1Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: {
      holderIdentity: record.holder,
      leaseDurationSeconds: Math.max(1, Math.round(record.leaseDurationMs / 1_000)),
      acquireTime: new V1MicroTime(record.acquiredMs),
      renewTime: new V1MicroTime(record.renewedMs),
      leaseTransitions: record.transitions,
    },
  };
}
