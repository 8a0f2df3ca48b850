/**
 * LeaderRecords on a coordination.k8s.io Lease. What others put on the object (labels of a chart, owner references)
 * stays; a write replaces exactly the resourceVersion that was seen.
 */
import { type V1Lease, V1MicroTime, type V1ObjectMeta } from '@kubernetes/client-node';
import { parseIsoTime } from '../../runtime/clock.ts';
import type { LeaderRecord, LeaderRecords, StoredLeaderRecord } from '../leader-records.ts';
import type { KubeClient } from './kube-client.ts';
import { CONFLICT, hasStatus, NOT_FOUND } from './kube-error.ts';

export interface KubeLeaderRecordsOptions {
  readonly client: Pick<KubeClient, 'call' | 'coordination'>;
  readonly namespace: string;
  readonly name: string;
}

export class KubeLeaderRecords implements LeaderRecords {
  readonly #client: Pick<KubeClient, 'call' | 'coordination'>;
  readonly #namespace: string;
  readonly #name: string;
  #metadata: V1ObjectMeta = {};

  constructor(options: KubeLeaderRecordsOptions) {
    this.#client = options.client;
    this.#namespace = options.namespace;
    this.#name = options.name;
  }

  async read(): Promise<StoredLeaderRecord | undefined> {
    const where = { namespace: this.#namespace, name: this.#name };
    try {
      const lease = await this.#client.call('read lease', (options) =>
        this.#client.coordination.readNamespacedLease(where, options),
      );
      this.#metadata = lease.metadata ?? {};
      return recordOf(lease);
    } catch (error) {
      if (hasStatus(error, NOT_FOUND)) return undefined;
      throw error;
    }
  }

  async write(record: LeaderRecord, seenVersion: string | undefined): Promise<StoredLeaderRecord | undefined> {
    try {
      const written = seenVersion === undefined ? await this.#create(record) : await this.#replace(record, seenVersion);
      return recordOf(written);
    } catch (error) {
      // Created, replaced or deleted by somebody else meanwhile. Nothing to create it in is another matter.
      if (hasStatus(error, CONFLICT) || (seenVersion !== undefined && hasStatus(error, NOT_FOUND))) return undefined;
      throw error;
    }
  }

  #create(record: LeaderRecord): Promise<V1Lease> {
    const namespace = this.#namespace;
    const body = leaseOf(record, { name: this.#name, namespace });
    return this.#client.call('create lease', (options) =>
      this.#client.coordination.createNamespacedLease({ namespace, body }, options),
    );
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
