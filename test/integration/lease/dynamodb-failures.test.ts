/** The adapter when DynamoDB or the network fails: which error, how soon, and that a lost answer harms nothing. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureTable } from '../../../lease/dynamodb/ensure-table.ts';
import { createFleetStores, type FleetStores } from '../../../lease/dynamodb/fleet-stores.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type Dynalite, startDynalite, TEST_CREDENTIALS } from '../../support/dynalite.ts';
import { FaultyDynamoDb } from '../../support/faulty-dynamodb.ts';
import { testLeaseKey } from '../../support/lease-builder.ts';

const key = testLeaseKey('shardId-000000000001');
const tableName = 'fleet';
let dynalite: Dynalite;
let network: FaultyDynamoDb;
let stores: FleetStores;

beforeEach(async () => {
  dynalite = await startDynalite();
  network = new FaultyDynamoDb(dynalite.endpoint);
  await network.start();
  const { endpoint } = network;
  const credentials = TEST_CREDENTIALS;
  stores = createFleetStores({
    tableName,
    clock: systemClock,
    region: 'us-east-1',
    endpoint,
    credentials,
    callTimeoutMs: 500,
  });
  await ensureTable({ client: stores.client, clock: systemClock, tableName, create: true, pollMs: 10 });
  await stores.leases.create({ key, checkpoint: { kind: 'LATEST' }, parents: [] });
  network.operations.length = 0;
  network.requests.length = 0;
});

afterEach(async () => {
  stores.close();
  await network.stop();
  await dynalite.stop();
});

describe('an unavailable table', () => {
  it.each([
    ['ProvisionedThroughputExceededException', 400],
    ['ThrottlingException', 400],
    ['RequestLimitExceeded', 400],
    ['TransactionConflictException', 400],
    ['InternalServerError', 500],
    ['ServiceUnavailable', 503],
  ])('is an error to retry: %s', async (name, status) => {
    network.refuse(name, status, 10);

    await expect(stores.leases.read(key)).rejects.toMatchObject({
      code: 'FleetStoreUnavailable',
      disposition: 'retry',
      fields: { operation: 'read' },
    });
  });

  it('is an error to retry when a call hangs, after its deadline', async () => {
    network.faults.push({ kind: 'hang' }, { kind: 'hang' });
    const startedMs = performance.now();

    await expect(stores.workers.heartbeat('w', 'active', { leases: 0, bytesPerSecond: 0 })).rejects.toMatchObject({
      code: 'FleetStoreUnavailable',
    });

    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(490);
    expect(performance.now() - startedMs).toBeLessThan(1_500);
  });

  it('is an error to retry when nobody listens', async () => {
    await network.stop();

    await expect(stores.fleet.readFleet()).rejects.toMatchObject({
      code: 'FleetStoreUnavailable',
      disposition: 'retry',
    });
    await network.start();
  });
});

describe('a refusal', () => {
  it.each([
    ['AccessDeniedException', 400, 'retry', /grant it in the IAM policy/],
    ['ExpiredTokenException', 400, 'retry', /credentials were not accepted/],
    ['UnrecognizedClientException', 400, 'retry', /credentials were not accepted/],
    ['ResourceNotFoundException', 400, 'retry', /table fleet does not exist/],
    ['ValidationException', 400, 'fatal', /found read on table fleet invalid/],
  ])('says what to do: %s', async (name, status, disposition, message) => {
    network.refuse(name, status, 10);

    const failure = stores.leases.read(key);

    await expect(failure).rejects.toMatchObject({ code: 'FleetStoreRefused', disposition });
    await expect(failure).rejects.toThrow(message);
  });
});

describe('an answer that gets lost', () => {
  it('leaves each write of a life won, the attempt inside the client included', async () => {
    const { leases } = stores;
    const owned = { key, workerId: 'a', generation: 1 };
    const writes = [
      () => leases.assign({ key, generation: 0 }, 'a'),
      () => leases.bind(owned, 'ledger', 'LATEST'),
      () => leases.checkpoint(owned, { kind: 'TRIM_HORIZON' }, 1),
      () => leases.handoff({ key, generation: 1 }, 'a', 'b'),
      () => leases.retarget({ key, generation: 1 }, 'a', 'b', 'c'),
      () => leases.release(owned),
      () => leases.take({ key, generation: 2 }, 'c', 'd'),
      () => leases.free({ key, workerId: 'd', generation: 3 }),
      () => leases.assign({ key, generation: 3 }, 'e'),
      () => leases.shardEnd({ key, workerId: 'e', generation: 4 }, 2),
    ];

    for (const write of writes) {
      network.faults.push({ kind: 'lose' });
      expect(await write()).toMatchObject({ won: true });
    }

    expect(await leases.read(key)).toMatchObject({ generation: 4, checkpoint: { kind: 'SHARD_END' } });
  });

  it('is retried by the caller when every attempt inside the client lost it', async () => {
    network.faults.push({ kind: 'lose' }, { kind: 'lose' });

    await expect(stores.leases.assign({ key, generation: 0 }, 'a')).rejects.toMatchObject({
      code: 'FleetStoreUnavailable',
    });

    expect(await stores.leases.assign({ key, generation: 0 }, 'a')).toMatchObject({ won: true });
    expect(await stores.leases.assign({ key, generation: 0 }, 'b')).toMatchObject({
      won: false,
      lease: { owner: 'a' },
    });
  });

  it('leaves a registration won and its worker in the fleet row', async () => {
    network.faults.push({ kind: 'lose' }, undefined, undefined, { kind: 'lose' });

    expect(await stores.workers.register('w1')).toBe(true);

    await stores.fleet.createFleet({ streamArn: 'a', streamCreationEpochSeconds: 1, schemaVersion: 1, hashSeed: 'b' });
    expect((await stores.fleet.readFleet())?.workers).toEqual(['w1']);
  });
});

describe('a batch read', () => {
  it('asks again for keys that were not processed', async () => {
    await stores.workers.register('w1');
    await stores.workers.register('w2');
    network.operations.length = 0;
    const UnprocessedKeys = { [tableName]: { Keys: [{ leaseKey: { S: 'worker/w1' } }], ConsistentRead: true } };
    network.faults.push({ kind: 'answer', body: { Responses: { [tableName]: [] }, UnprocessedKeys } });

    expect(await stores.workers.readWorkers(['w1'])).toMatchObject([{ id: 'w1' }]);

    expect(network.operations).toEqual(['BatchGetItem', 'BatchGetItem']);
  });
});

describe('a request', () => {
  it('reads consistently, one row, many rows or all rows', async () => {
    await stores.leases.read(key);
    await stores.leases.readAll();
    await stores.workers.readWorkers(['w1']);

    const [get, scan, batch] = network.requests;
    expect([get?.ConsistentRead, scan?.ConsistentRead]).toEqual([true, true]);
    expect(batch).toMatchObject({ RequestItems: { [tableName]: { ConsistentRead: true } } });
  });

  it('asks for the row that failed its condition, and then needs no read', async () => {
    const Item = {
      leaseKey: { S: key },
      leaseCounter: { N: '8' },
      checkpoint: { S: 'LATEST' },
      leaseOwner: { S: 'x' },
    };
    const __type = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException';
    network.faults.push({ kind: 'answer', status: 400, body: { __type, Item } });

    const outcome = await stores.leases.assign({ key, generation: 0 }, 'a');

    expect(outcome).toMatchObject({ won: false, lease: { generation: 8, owner: 'x' } });
    expect(network.operations).toEqual(['UpdateItem']);
    expect(network.requests[0]).toMatchObject({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
  });
});
