/**
 * What the leading controller sees of its fleet, for one term of leadership: the lease rows, the workers, the shards.
 * Each part is brought by one concern and read by the others; none of it is truth, all of it can be seen again.
 */
import { healKeyOf } from '../lease/heal-lease.ts';
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

/** What Kinesis says. */
export interface ListedShards {
  readonly shards: readonly ListedShard[];
  /** With an initial position in time: the shards that were open then. Undefined = the service cannot say. */
  readonly openAtStart: readonly string[] | undefined;
  /** Wall time right after the listing, by the service's clock where it differs much from ours. */
  readonly listedAtMs: number;
}

export interface ShardListing extends ListedShards {
  /** Shards of lease rows, and their parents, that several listings in a row did not show: nobody will ever read them. */
  readonly gone: ReadonlySet<string>;
}

export interface FleetView {
  readonly leases: LeaseCache;
  /** Undefined until the fleet row was seen. */
  fleet: FleetRow | undefined;
  /** Every registered worker and every owner of a lease; undefined until they were read once. */
  workers: ReadonlyMap<string, FleetWorker> | undefined;
  /** Undefined until the stream was listed once in this term. */
  listing: ShardListing | undefined;
  /** Parts of the hash range that no unfinished lease covers; undefined until that was looked at. */
  hashRangeHoles: number | undefined;
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

/** By all leases, which stay one array until one of them changes: every reconciler asks, in every round. */
const byShard = new WeakMap<
  readonly Lease[],
  { readonly prefix: string; readonly leases: ReadonlyMap<string, Lease> }
>();

/** The fleet's own leases by shard id. */
export function leasesByShard(view: Pick<FleetView, 'leases' | 'fleet'>): ReadonlyMap<string, Lease> {
  if (!view.fleet) return new Map();
  const prefix = leaseKeyPrefix(view.fleet);
  const all = view.leases.all();
  const known = byShard.get(all);
  if (known?.prefix === prefix) return known.leases;
  const own = all.filter((lease) => lease.key.startsWith(prefix));
  const leases = new Map(own.map((lease) => [lease.shardId, lease]));
  byShard.set(all, { prefix, leases });
  return leases;
}

/** Shards whose row is there and cannot be understood: neither read nor unread as far as anybody can tell. */
export function brokenShards(view: Pick<FleetView, 'leases' | 'fleet'>): ReadonlySet<string> {
  if (!view.fleet) return new Set();
  const prefix = leaseKeyPrefix(view.fleet);
  const own = [...view.leases.broken().keys()].filter((key) => key.startsWith(prefix));
  return new Set(own.map((key) => key.slice(prefix.length)));
}

/** Heal leases of the fleet's shards. */
export function healLeases(view: FleetView): Lease[] {
  if (!view.fleet) return [];
  const prefix = healKeyOf(leaseKeyPrefix(view.fleet));
  return view.leases.all().filter((lease) => lease.key.startsWith(prefix));
}
