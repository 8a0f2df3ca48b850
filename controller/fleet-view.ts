/**
 * What the leading controller sees of its fleet, for one term of leadership: the lease rows, the workers, the shards.
 * Each part is brought by one concern and read by the others; none of it is truth, all of it can be seen again.
 */
import type { Lease } from '../lease/lease.ts';
import type { FleetRow, WorkerRow } from '../lease/worker-store.ts';
import type { LeaseCache } from './lease-cache.ts';

export type DeathReason = 'heartbeat' | 'presence' | 'gone' | 'pod';

export interface FleetWorker {
  readonly id: string;
  /** Absent when the row is gone, or was never read. */
  readonly row: WorkerRow | undefined;
  /** Why the controller takes it for dead; undefined = alive as far as anybody can tell. */
  readonly dead: DeathReason | undefined;
}

/** A shard as Kinesis lists it; closed when it has an ending sequence number. */
export interface ListedShard {
  readonly shardId: string;
  /** Parent and adjacent parent (merge): none, one or two. */
  readonly parents: readonly string[];
  readonly startingHashKey: string;
  readonly endingHashKey: string;
  readonly isClosed: boolean;
}

export interface ShardListing {
  readonly shards: readonly ListedShard[];
  /** With an initial position in time: the shards that were open then. Undefined = the service cannot say. */
  readonly openAtStart: readonly string[] | undefined;
  /** Wall time right after the listing, by the service's clock where it differs much from ours. */
  readonly listedAtMs: number;
}

export interface FleetView {
  readonly leases: LeaseCache;
  /** Undefined until the fleet row was seen. */
  fleet: FleetRow | undefined;
  /** Every registered worker and every owner of a lease; undefined until they were read once. */
  workers: ReadonlyMap<string, FleetWorker> | undefined;
  /** Undefined until the stream was listed once in this term. */
  listing: ShardListing | undefined;
}

/** May this worker be given more? */
export function isEligible(worker: FleetWorker | undefined): boolean {
  return worker !== undefined && worker.dead === undefined && worker.row?.state === 'active';
}

/** Lease keys of the fleet's stream begin with this; others in the table are not ours to touch. */
export function leaseKeyPrefix(fleet: FleetRow): string {
  const [, , , , account = '', resource = ''] = fleet.streamArn.split(':');
  return `${account}:${resource.slice(resource.indexOf('/') + 1)}:${fleet.streamCreationEpochSeconds}:`;
}

/** The fleet's own leases by shard id. */
export function leasesByShard(view: FleetView): ReadonlyMap<string, Lease> {
  if (!view.fleet) return new Map();
  const prefix = leaseKeyPrefix(view.fleet);
  const own = view.leases.all().filter((lease) => lease.key.startsWith(prefix));
  return new Map(own.map((lease) => [lease.shardId, lease]));
}
