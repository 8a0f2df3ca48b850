/**
 * Everything that a process needs of the fleet table, from one client: the four ports, and the check at start.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../runtime/clock.ts';
import type { BrokenRow } from '../broken-row.ts';
import type { LeaseStore } from '../lease-store.ts';
import type { FleetStore, LeaderStore, WorkerStore } from '../worker-store.ts';
import { createDynamoDbClient, type DynamoDbClientOptions } from './client.ts';
import { DynamoDbFleetStore } from './dynamodb-fleet-store.ts';
import { DynamoDbLeaseStore } from './dynamodb-lease-store.ts';
import { DynamoDbWorkerStore } from './dynamodb-worker-store.ts';
import { FleetTable } from './fleet-table.ts';

export interface FleetStoresOptions extends DynamoDbClientOptions {
  readonly tableName: string;
  readonly clock: Clock;
  /** Told of each row that a read of many rows had to leave out. */
  readonly onBrokenRow?: (row: BrokenRow) => void;
  readonly callTimeoutMs?: number;
}

export interface FleetStores {
  readonly leases: LeaseStore;
  readonly workers: WorkerStore;
  readonly fleet: FleetStore;
  readonly leader: LeaderStore;
  /** For `ensureTable`. */
  readonly client: DynamoDBClient;
  /** Closes the connections. */
  close(): void;
}

/** Connects to nothing yet: the first call does. */
export function createFleetStores(options: FleetStoresOptions): FleetStores {
  const client = createDynamoDbClient(options);
  const { clock, tableName, callTimeoutMs, onBrokenRow } = options;
  const table = new FleetTable({ client, tableName, clock, ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }) });
  const rows = onBrokenRow ? { onBrokenRow } : {};
  const fleet = new DynamoDbFleetStore(table);
  return {
    leases: new DynamoDbLeaseStore(table, rows),
    workers: new DynamoDbWorkerStore(table, rows),
    fleet,
    leader: fleet,
    client,
    close: () => client.destroy(),
  };
}
