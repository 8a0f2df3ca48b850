/** Worker, orders, fleet and leader rows: one suite, against the fake and against DynamoDB tables. */
import { afterAll, beforeAll, describe } from 'vitest';
import { DynamoDbFleetStore } from '../../../lease/dynamodb/dynamodb-fleet-store.ts';
import { DynamoDbWorkerStore } from '../../../lease/dynamodb/dynamodb-worker-store.ts';
import { ensureTable } from '../../../lease/dynamodb/ensure-table.ts';
import { FleetTable } from '../../../lease/dynamodb/fleet-table.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type Dynalite, startDynalite } from '../../support/dynalite.ts';
import { FakeFleetRows, FakeWorkerStore } from '../../support/fake-worker-store.ts';
import { workerStoreContract } from './worker-store-suite.ts';

describe('the fake worker store', () => {
  workerStoreContract(async () => {
    const rows = new FakeFleetRows();
    return () => {
      const store = new FakeWorkerStore(rows);
      return { workers: store, fleet: store };
    };
  });
});

describe('the DynamoDB worker store', () => {
  let dynalite: Dynalite;
  let fleets = 0;

  beforeAll(async () => {
    dynalite = await startDynalite();
  });
  afterAll(() => dynalite.stop());

  workerStoreContract(async () => {
    const { client } = dynalite;
    const tableName = `fleet-${fleets++}`;
    await ensureTable({ client, clock: systemClock, tableName, create: true, pollMs: 10 });
    return () => {
      const table = new FleetTable({ client, tableName, clock: systemClock, callTimeoutMs: 20_000 });
      return { workers: new DynamoDbWorkerStore(table), fleet: new DynamoDbFleetStore(table) };
    };
  });
});
