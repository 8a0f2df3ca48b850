/**
 * Port to the worker rows (one heartbeat per worker, not per shard), their orders (a row of their own, so that a
 * heartbeat stays small), the fleet row and the leader row of the fleet table. Transport failures throw
 * FleetStoreUnavailable.
 */
import type { LeaseKey } from './lease.ts';

export type WorkerState = 'starting' | 'active' | 'draining';

/** What a worker says of its work and its place at each heartbeat. Workers of older versions say less. */
export interface WorkerLoad {
  readonly leases: number;
  /** Payload read, of all shards. */
  readonly bytesPerSecond: number;
  /** Payload read per second of the busiest shards by shard id; only shards that were read for long enough. */
  readonly busiest?: ReadonlyMap<string, number> | undefined;
  /** Average of the shards that were read for long enough and are not named; absent = there is none. */
  readonly othersBytesPerSecond?: number | undefined;
  readonly zone?: string | undefined;
  /** How much it should have beside other workers, in percent of an ordinary one. */
  readonly capacity?: number | undefined;
}

export interface WorkerRow {
  readonly id: string;
  /** +1 per heartbeat: a controller judges liveness by whether it moves, on its own clock. */
  readonly beats: number;
  readonly state: WorkerState;
  readonly load: WorkerLoad;
  /** Version of the orders row that the worker should have read. */
  readonly ordersVersion: number;
}

/** hold: read the lease row, start if it is yours. drain: read the row, drain if you are its `checkpointOwner`. */
export interface Order {
  readonly leaseKey: LeaseKey;
  readonly verb: 'hold' | 'drain';
}

export interface Orders {
  readonly version: number;
  readonly orders: readonly Order[];
}

export type HeartbeatAnswer = { readonly beats: number; readonly ordersVersion: number } | 'gone';

export interface WorkerStore {
  /** Creates the row (must be absent), then adds the id to the fleet row's set. False when the id was taken. */
  register(id: string): Promise<boolean>;
  /** Row exists: beats +1, state, load. 'gone' when the row is not there: stop everything, register under a new id. */
  heartbeat(id: string, state: WorkerState, load: WorkerLoad): Promise<HeartbeatAnswer>;
  /** Rows of the given ids, strongly consistent, absent ones left out. */
  readWorkers(ids: readonly string[]): Promise<WorkerRow[]>;
  /** Writes the orders row, then its version into the worker row (which must exist; false when it does not). */
  writeOrders(id: string, orders: Orders): Promise<boolean>;
  readOrders(id: string): Promise<Orders | undefined>;
  /** Removes the id from the fleet row's set, the orders row and the worker row. */
  remove(id: string): Promise<void>;
}

/** Version of the fleet table's rows that this program writes and understands. */
export const SCHEMA_VERSION = 1;

/** What both processes agree on about a fleet; created once by the first leading controller. */
export interface FleetRow {
  readonly streamArn: string;
  readonly streamCreationEpochSeconds: number;
  readonly schemaVersion: number;
  /** 32 hex digits, random: keys the identity hashes, so that nobody outside can prepare collisions. */
  readonly hashSeed: string;
  /** Registered worker ids. */
  readonly workers: readonly string[];
  /** Of the worker Deployment (Kubernetes) that was given its initial replicas; absent = none was. */
  readonly scaledDeploymentUid?: string;
  /** Of the stream of this name that the fleet read before, once it went on with a new one; absent = there was none. */
  readonly previousCreationEpochSeconds?: number;
}

export type NewFleetRow = Omit<FleetRow, 'workers' | 'scaledDeploymentUid' | 'previousCreationEpochSeconds'>;

export interface FleetStore {
  /** Creates the row when it is absent; returns the row that is there. */
  createFleet(row: NewFleetRow): Promise<FleetRow>;
  readFleet(): Promise<FleetRow | undefined>;
  /**
   * `streamCreationEpochSeconds` = seen. Effect: `created` instead, and the seen one as `previousCreationEpochSeconds`.
   * Gives the row that is there; undefined when there is none.
   */
  adoptStream(seen: number, created: number): Promise<FleetRow | undefined>;
  /** Sets `scaledDeploymentUid` of a row that exists. False when there is none. */
  rememberScaled(deploymentUid: string): Promise<boolean>;
  /**
   * A generation of the ledger job, higher by at least `by` than any given before; nobody else gets it. A lost answer
   * costs numbers. Undefined when there is no fleet row.
   */
  raiseLedgerJob(by: number): Promise<number | undefined>;
}

/** Leadership without Kubernetes: whoever moved the row's counter last leads; watchers judge by their own clock. */
export interface LeaderRow {
  readonly holder: string;
  readonly beats: number;
  /** How long the holder asks others to wait; absent = as long as each would. */
  readonly leaseDurationMs?: number;
}

export interface LeaderStore {
  readLeader(): Promise<LeaderRow | undefined>;
  /** Row absent, or exactly as `seen`. Effect: holder, beats+1. Undefined when lost. */
  claimLeader(holder: string, seen: LeaderRow | undefined): Promise<LeaderRow | undefined>;
  /** Holder = me. Row removed. */
  resignLeader(holder: string): Promise<void>;
}
