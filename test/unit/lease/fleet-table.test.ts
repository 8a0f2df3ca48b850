import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { FleetTable } from '../../../lease/dynamodb/fleet-table.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('a call ends at its deadline though the client does not look at the signal', async () => {
  const clock = new FakeClock();
  const deaf = { send: () => new Promise(() => undefined) } as unknown as DynamoDBClient;
  const table = new FleetTable({ client: deaf, tableName: 'fleet', clock, callTimeoutMs: 500 });

  await expect(clock.runUntil(table.get('read', 'key'), 10_000)).rejects.toMatchObject({
    code: 'FleetStoreUnavailable',
    disposition: 'retry',
  });

  expect(clock.monotonicMs()).toBe(500);
});
