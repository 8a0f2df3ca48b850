/**
 * Makes sure at start that the fleet table is there, usable, and keyed as the fleet needs it; creates it where that
 * is allowed. Two processes may do so at once.
 */
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
  ResourceNotFoundException,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../runtime/clock.ts';
import { StartRefused } from '../../runtime/errors.ts';
import { FleetStoreUnavailable } from '../lease-store.ts';
import { toFleetError } from './failure.ts';

export interface EnsureTableOptions {
  readonly client: DynamoDBClient;
  readonly clock: Clock;
  readonly tableName: string;
  /** May the table be created when it is missing? */
  readonly create: boolean;
  /** Told once per look while the table is not usable yet: its status, or CREATING when it was just asked for. */
  readonly onProgress?: (status: string) => void;
  readonly pollMs?: number;
  readonly timeoutMs?: number;
}

const CALL_TIMEOUT_MS = 5_000;
const POLL_MS = 500;
const TIMEOUT_MS = 120_000;

/**
 * Returns when the table is usable.
 * @throws StartRefused when it is missing and must not be created, or has another key; FleetStoreUnavailable,
 * FleetStoreRefused when DynamoDB cannot be asked or the table does not get ready in time.
 */
export async function ensureTable(options: EnsureTableOptions): Promise<void> {
  const { clock, tableName } = options;
  const giveUpMs = clock.monotonicMs() + (options.timeoutMs ?? TIMEOUT_MS);
  let status = 'missing';
  while (clock.monotonicMs() < giveUpMs) {
    const table = await describe(options);
    status = table?.TableStatus ?? 'missing';
    if (table && (status === 'ACTIVE' || status === 'UPDATING')) return checkKey(tableName, table);
    if (!table) {
      if (!options.create) throw missing(tableName);
      await create(options);
      status = 'CREATING';
    }
    options.onProgress?.(status);
    await clock.sleep(options.pollMs ?? POLL_MS);
  }
  throw new FleetStoreUnavailable('ensureTable', new Error(`table ${tableName} is still ${status}`));
}

async function describe({ client, clock, tableName }: EnsureTableOptions): Promise<TableDescription | undefined> {
  try {
    const command = new DescribeTableCommand({ TableName: tableName });
    const answer = await client.send(command, { abortSignal: clock.deadline(CALL_TIMEOUT_MS) });
    return answer.Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw toFleetError('DescribeTable', tableName, error);
  }
}

async function create({ client, clock, tableName }: EnsureTableOptions): Promise<void> {
  const command = new CreateTableCommand({
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
  });
  try {
    await client.send(command, { abortSignal: clock.deadline(CALL_TIMEOUT_MS) });
  } catch (error) {
    // Somebody else was first, or a describe that lags behind did not show it yet.
    if (error instanceof ResourceInUseException) return;
    throw toFleetError('CreateTable', tableName, error);
  }
}

function checkKey(tableName: string, table: TableDescription): void {
  const types = new Map(table.AttributeDefinitions?.map((a) => [a.AttributeName, a.AttributeType]));
  const found = (table.KeySchema ?? [])
    .map((part) => `${part.AttributeName} ${types.get(part.AttributeName) ?? '?'} ${part.KeyType}`)
    .join(', ');
  const expected = 'leaseKey S HASH';
  if (found === expected) return;
  throw new StartRefused(
    `table ${tableName} has the key (${found}), the fleet table needs (${expected}): name another table`,
    { tableName, found, expected },
  );
}

function missing(tableName: string): StartRefused {
  return new StartRefused(
    `table ${tableName} does not exist, and creating it is not allowed. Create it: ` +
      `aws dynamodb create-table --table-name ${tableName} --billing-mode PAY_PER_REQUEST ` +
      '--attribute-definitions AttributeName=leaseKey,AttributeType=S ' +
      '--key-schema AttributeName=leaseKey,KeyType=HASH',
    { tableName },
  );
}
