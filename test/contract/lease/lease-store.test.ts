/** The lease rows: one suite, against the fake and against a DynamoDB table. */
import { afterAll, beforeAll, describe } from 'vitest';
import { ensureTable } from '../../../lease/dynamodb/ensure-table.ts';
import { createFleetStores, type FleetStores } from '../../../lease/dynamodb/fleet-stores.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type Dynalite, startDynalite, TEST_CREDENTIALS } from '../../support/dynalite.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { leaseStoreEffects } from './lease-effects-suite.ts';
import { leaseStoreRepeats } from './lease-repeats-suite.ts';
import { leaseStoreConditions } from './lease-store-suite.ts';

describe('the fake lease store', () => {
  leaseStoreConditions(() => new FakeLeaseStore());
  leaseStoreRepeats(() => new FakeLeaseStore());
  leaseStoreEffects(() => new FakeLeaseStore(), { racingWrites: 1_000, rows: 1_000 });
});

describe('the DynamoDB lease store', () => {
  let dynalite: Dynalite;
  let stores: FleetStores;
  const tableName = 'fleet';

  beforeAll(async () => {
    dynalite = await startDynalite();
    await ensureTable({ client: dynalite.client, clock: systemClock, tableName, create: true, pollMs: 10 });
    const { endpoint } = dynalite;
    stores = createFleetStores({
      tableName,
      clock: systemClock,
      region: 'us-east-1',
      endpoint,
      credentials: TEST_CREDENTIALS,
      callTimeoutMs: 20_000,
    });
  });
  afterAll(async () => {
    stores.close();
    await dynalite.stop();
  });

  leaseStoreConditions(() => stores.leases);
  leaseStoreRepeats(() => stores.leases);
  leaseStoreEffects(() => stores.leases, { racingWrites: 100, rows: 200 });
});
