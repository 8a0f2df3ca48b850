/** Lease rows as other programs see them: KCL's names and types, attributes that are not ours, rows that are broken. */
import { type AttributeValue, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BrokenRow } from '../../../lease/broken-row.ts';
import { DynamoDbLeaseStore } from '../../../lease/dynamodb/dynamodb-lease-store.ts';
import { DynamoDbWorkerStore } from '../../../lease/dynamodb/dynamodb-worker-store.ts';
import { ensureTable } from '../../../lease/dynamodb/ensure-table.ts';
import { FleetTable } from '../../../lease/dynamodb/fleet-table.ts';
import { positionOf } from '../../../lease/position.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type Dynalite, startDynalite } from '../../support/dynalite.ts';
import { testLeaseKey } from '../../support/lease-builder.ts';

type Item = Record<string, AttributeValue>;

const key = testLeaseKey('shardId-000000000001');
let dynalite: Dynalite;
let tableName: string;
let store: DynamoDbLeaseStore;
let workers: DynamoDbWorkerStore;
let broken: BrokenRow[];
let tables = 0;

async function put(item: Item): Promise<void> {
  await dynalite.client.send(new PutItemCommand({ TableName: tableName, Item: { leaseKey: { S: key }, ...item } }));
}

async function get(leaseKey = key): Promise<Item | undefined> {
  const command = new GetItemCommand({
    TableName: tableName,
    Key: { leaseKey: { S: leaseKey } },
    ConsistentRead: true,
  });
  return (await dynalite.client.send(command)).Item;
}

/** A row as KCL 3 leaves it in the middle of a life, with attributes that we do not know. */
const KCL_ROW: Item = {
  leaseOwner: { S: 'a' },
  leaseCounter: { N: '41' },
  checkpoint: { S: '49671246667567228643283430150187087032206582658790195202' },
  checkpointSubSequenceNumber: { N: '12' },
  ownerSwitchesSinceCheckpoint: { N: '3' },
  parentShardId: { SS: ['shardId-000000000000'] },
  startingHashKey: { S: '0' },
  endingHashKey: { S: '170141183460469231731687303715884105727' },
  throughputKBps: { N: '12.75' },
  pendingCheckpoint: { S: '49671246667567228643283430150187087032206582658790195999' },
  pendingCheckpointSubSequenceNumber: { N: '0' },
  pendingCheckpointState: { B: new Uint8Array([1, 2, 3]) },
  someoneElses: { M: { list: { L: [{ N: '1' }, { BOOL: true }] } } },
};

beforeAll(async () => {
  dynalite = await startDynalite();
});
afterAll(() => dynalite.stop());

beforeEach(async () => {
  const { client } = dynalite;
  tableName = `fleet-${tables++}`;
  await ensureTable({ client, clock: systemClock, tableName, create: true, pollMs: 10 });
  const table = new FleetTable({ client, tableName, clock: systemClock, callTimeoutMs: 20_000, scanPageRows: 3 });
  broken = [];
  const onBrokenRow = (row: BrokenRow): void => {
    broken.push(row);
  };
  store = new DynamoDbLeaseStore(table, { onBrokenRow });
  workers = new DynamoDbWorkerStore(table, { onBrokenRow });
});

describe('a row that KCL wrote', () => {
  it('is read as a lease', async () => {
    await put(KCL_ROW);

    expect(await store.read(key)).toEqual({
      key,
      shardId: 'shardId-000000000001',
      owner: 'a',
      generation: 41,
      checkpoint: {
        kind: 'AFTER',
        position: positionOf('49671246667567228643283430150187087032206582658790195202', 12),
      },
      checkpointVersion: 0,
      parents: ['shardId-000000000000'],
      children: [],
      startingHashKey: '0',
      endingHashKey: '170141183460469231731687303715884105727',
      ownerSwitchesSinceCheckpoint: 3,
      pending: positionOf('49671246667567228643283430150187087032206582658790195999'),
    });
  });

  it('keeps every attribute that is not ours through a whole life', async () => {
    await put(KCL_ROW);
    const owned = { key, workerId: 'b', generation: 42 };

    await store.take({ key, generation: 41 }, 'a', 'b');
    await store.bind(owned, 'ledger', 'start');
    await store.handoff({ key, generation: 42 }, 'b', 'c');
    await store.release(owned);
    await store.free({ key, workerId: 'c', generation: 43 });
    await store.addChildren(key, ['shardId-000000000002']);

    expect(await get()).toEqual({
      leaseKey: { S: key },
      ...KCL_ROW,
      leaseOwner: undefined,
      leaseCounter: { N: '43' },
      ownerSwitchesSinceCheckpoint: { N: '4' },
      childShardIds: { SS: ['shardId-000000000002'] },
      ledgerId: { S: 'ledger' },
      ledgerStart: { S: 'start' },
    });
  });

  it('loses its pending checkpoint with a checkpoint, and nothing else of it', async () => {
    await put(KCL_ROW);
    const position = positionOf('49671246667567228643283430150187087032206582658790196000', 7);

    await store.checkpoint({ key, workerId: 'a', generation: 41 }, { kind: 'AFTER', position }, 1);

    const { pendingCheckpoint, pendingCheckpointSubSequenceNumber, pendingCheckpointState, ...rest } = KCL_ROW;
    expect(await get()).toEqual({
      leaseKey: { S: key },
      ...rest,
      checkpoint: { S: '49671246667567228643283430150187087032206582658790196000' },
      checkpointSubSequenceNumber: { N: '7' },
      ownerSwitchesSinceCheckpoint: { N: '0' },
      checkpointVersion: { N: '1' },
    });
  });
});

describe('a row that we wrote', () => {
  it('has KCL types, sentinels as text, and no empty set or string', async () => {
    await store.create({ key, checkpoint: { kind: 'AT_TIMESTAMP', timestampMs: 1_790_000_000_123 }, parents: [] });

    expect(await get()).toEqual({
      leaseKey: { S: key },
      entityType: { S: 'LEASE' },
      leaseCounter: { N: '0' },
      checkpoint: { S: 'AT_TIMESTAMP' },
      checkpointSubSequenceNumber: { N: '0' },
      startTimestamp: { N: '1790000000123' },
      checkpointVersion: { N: '0' },
      ownerSwitchesSinceCheckpoint: { N: '0' },
    });
  });

  it('loses the start time with the sentinel that needed it, and both owners at the shard end', async () => {
    await store.create({ key, checkpoint: { kind: 'AT_TIMESTAMP', timestampMs: 5 }, parents: ['p'] });
    await store.assign({ key, generation: 0 }, 'a');
    await store.handoff({ key, generation: 1 }, 'a', 'b');

    await store.shardEnd({ key, workerId: 'a', generation: 1 }, 1);

    expect(await get()).toEqual({
      leaseKey: { S: key },
      entityType: { S: 'LEASE' },
      leaseCounter: { N: '1' },
      checkpoint: { S: 'SHARD_END' },
      checkpointSubSequenceNumber: { N: '0' },
      checkpointVersion: { N: '1' },
      ownerSwitchesSinceCheckpoint: { N: '0' },
      parentShardId: { SS: ['p'] },
    });
  });
});

describe('a broken row', () => {
  const good: Item = { leaseCounter: { N: '1' }, checkpoint: { S: 'LATEST' } };

  it.each([
    ['leaseCounter', { leaseCounter: undefined }],
    ['leaseCounter', { leaseCounter: { S: '1' } }],
    ['leaseCounter', { leaseCounter: { N: '1.5' } }],
    ['checkpoint', { checkpoint: { S: 'soon' } }],
    ['checkpoint', { checkpoint: { S: '-1' } }],
    ['checkpoint', { checkpoint: undefined }],
    ['startTimestamp', { checkpoint: { S: 'AT_TIMESTAMP' } }],
    ['checkpointSubSequenceNumber', { checkpoint: { S: '1' }, checkpointSubSequenceNumber: { N: '100000000' } }],
    ['leaseOwner', { leaseOwner: { N: '1' } }],
    ['parentShardId', { parentShardId: { S: 'p' } }],
  ])('is named with its attribute %s: %j', async (attribute, change) => {
    const item = Object.fromEntries(Object.entries({ ...good, ...change }).filter(([, value]) => value !== undefined));
    await put(item as Item);

    await expect(store.read(key)).rejects.toMatchObject({ code: 'BrokenRow', key, attribute, disposition: 'release' });
  });

  it('costs a full read that row and no other, over all pages', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => testLeaseKey(`shardId-1${String(i).padStart(11, '0')}`));
    for (const each of keys) await store.create({ key: each, checkpoint: { kind: 'LATEST' }, parents: [] });
    await put({ ...good, checkpoint: { S: 'soon' } });
    await workers.register('w1');

    const leases = await store.readAll();

    expect(leases.map((lease) => lease.key).sort((a, b) => (a < b ? -1 : 1))).toEqual(keys);
    expect(broken.map((row) => [row.key, row.attribute])).toEqual([[key, 'checkpoint']]);
    expect(broken[0]?.message).toContain('soon');
  });

  it('costs a read of workers that worker and no other', async () => {
    await workers.register('w1');
    await put({ leaseKey: { S: 'worker/w2' }, beats: { N: '1' } });

    expect(await workers.readWorkers(['w1', 'w2'])).toMatchObject([{ id: 'w1' }]);

    expect(broken.map((row) => row.key)).toEqual(['worker/w2']);
  });
});
