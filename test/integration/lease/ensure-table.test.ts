/** The check of the fleet table at start. */
import { CreateTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoDbClient } from '../../../lease/dynamodb/client.ts';
import { ensureTable } from '../../../lease/dynamodb/ensure-table.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type Dynalite, startDynalite, TEST_CREDENTIALS } from '../../support/dynalite.ts';
import { FaultyDynamoDb } from '../../support/faulty-dynamodb.ts';

let dynalite: Dynalite;
beforeAll(async () => {
  dynalite = await startDynalite();
});
afterAll(() => dynalite.stop());

const check = (tableName: string, create: boolean, onProgress?: (status: string) => void) =>
  ensureTable({
    client: dynalite.client,
    clock: systemClock,
    tableName,
    create,
    pollMs: 5,
    ...(onProgress ? { onProgress } : {}),
  });

describe('the fleet table', () => {
  it('is created when it is missing and may be, with progress told', async () => {
    const progress: string[] = [];

    await check('made', true, (status) => progress.push(status));

    expect(progress[0]).toBe('CREATING');
    const { Table } = await dynalite.client.send(new DescribeTableCommand({ TableName: 'made' }));
    expect(Table).toMatchObject({ TableStatus: 'ACTIVE', KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }] });
    expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST');
  });

  it('is accepted when it is there, whether it may be created or not', async () => {
    await check('there', true);

    await check('there', true);
    await check('there', false);
  });

  it('may be created by several processes at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => check('raced', true)));

    await check('raced', false);
  });

  it('is refused with the command that creates it when it is missing and must not be created', async () => {
    await expect(check('absent', false)).rejects.toMatchObject({ code: 'StartRefused' });
    await expect(check('absent', false)).rejects.toThrow('aws dynamodb create-table --table-name absent');
  });

  it.each([
    ['a sort key', 'leaseKey', 'S', true, 'leaseKey S HASH, sort S RANGE'],
    ['another name', 'id', 'S', false, 'id S HASH'],
    ['another type', 'leaseKey', 'N', false, 'leaseKey N HASH'],
  ] as const)('is refused with what was found when its key has %s', async (title, name, type, isSorted, found) => {
    const TableName = title.replaceAll(' ', '-');
    await dynalite.client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: name, AttributeType: type },
          ...(isSorted ? [{ AttributeName: 'sort', AttributeType: 'S' as const }] : []),
        ],
        KeySchema: [
          { AttributeName: name, KeyType: 'HASH' },
          ...(isSorted ? [{ AttributeName: 'sort', KeyType: 'RANGE' as const }] : []),
        ],
      }),
    );

    await expect(check(TableName, true)).rejects.toMatchObject({
      code: 'StartRefused',
      fields: { found, expected: 'leaseKey S HASH' },
    });
  });

  it('is waited for while it is being created, and given up in the end', async () => {
    const network = new FaultyDynamoDb(dynalite.endpoint);
    await network.start();
    const client = createDynamoDbClient({
      region: 'us-east-1',
      endpoint: network.endpoint,
      credentials: TEST_CREDENTIALS,
    });
    try {
      for (let i = 0; i < 200; i++)
        network.faults.push({ kind: 'answer', body: { Table: { TableStatus: 'CREATING' } } });
      const options = { client, clock: systemClock, tableName: 'slow', create: true, pollMs: 5 };

      await expect(ensureTable({ ...options, timeoutMs: 60 })).rejects.toMatchObject({ code: 'FleetStoreUnavailable' });

      expect(network.operations).not.toContain('CreateTable');
    } finally {
      client.destroy();
      await network.stop();
    }
  });
});
