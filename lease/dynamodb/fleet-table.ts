/**
 * The fleet table as five calls: get, update, remove, scan, batch get. Each has a deadline (a request timeout alone
 * does not end a hung call) and throws only FleetErrors. A failed condition is an answer: the row as it was found.
 * Writers name attributes as `#attribute` in expressions; the map of names is derived from that.
 */
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { FleetStoreUnavailable } from '../lease-store.ts';
import { toFleetError } from './failure.ts';

export type Item = Readonly<Record<string, AttributeValue>>;

/** An UpdateItem: `update` and `when` are DynamoDB expressions with `#attribute` names and `:value` values. */
export interface Change {
  readonly update: string;
  /** Absent only where the write is right whatever the row says, and creates it when there is none. */
  readonly when?: string;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

/** applied: the item after the write. Else the item that did not meet the condition, absent when there is none. */
export type ChangeResult =
  | { readonly applied: true; readonly item: Item }
  | { readonly applied: false; readonly item: Item | undefined };

export interface FleetTableOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** Ends a call whatever hangs; the SDK's own second attempt included. */
  readonly callTimeoutMs?: number;
  /** Rows per page of a scan; absent: as DynamoDB likes (1 MiB). */
  readonly scanPageRows?: number;
}

export interface ScanFilter {
  readonly where: string;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

const CALL_TIMEOUT_MS = 2_000;
const BATCH_GET_KEYS = 100;
const BATCH_GET_ATTEMPTS = 6;

export class FleetTable {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;
  readonly #clock: Clock;
  readonly #callTimeoutMs: number;
  readonly #scanPageRows: number | undefined;

  constructor(options: FleetTableOptions) {
    this.#client = options.client;
    this.#tableName = options.tableName;
    this.#clock = options.clock;
    this.#callTimeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
    this.#scanPageRows = options.scanPageRows;
  }

  /** Strongly consistent. */
  async get(operation: string, key: string): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: this.#tableName, Key: keyOf(key), ConsistentRead: true });
    const answer = await this.#call(operation, (abortSignal) => this.#client.send(command, { abortSignal }));
    return answer.Item;
  }

  async update(operation: string, key: string, change: Change): Promise<ChangeResult> {
    const command = new UpdateItemCommand({
      TableName: this.#tableName,
      Key: keyOf(key),
      UpdateExpression: change.update,
      ...(change.when === undefined ? {} : { ConditionExpression: change.when }),
      ExpressionAttributeNames: namesIn(`${change.update} ${change.when ?? ''}`),
      ...valuesOf(change.values),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const answer = await this.#call(operation, (abortSignal) =>
      this.#client.send(command, { abortSignal }).catch(refusedItem),
    );
    if ('Attributes' in answer && answer.Attributes) return { applied: true, item: answer.Attributes };
    // Not every DynamoDB returns the item that failed the condition; an absent one must be looked for.
    const found = 'refused' in answer ? answer.refused : undefined;
    return { applied: false, item: found ?? (await this.get(operation, key)) };
  }

  /** Idempotent. With a condition that does not hold (or no row): does nothing. */
  async remove(operation: string, key: string, condition?: ScanFilter): Promise<void> {
    const command = new DeleteItemCommand({
      TableName: this.#tableName,
      Key: keyOf(key),
      ...(condition
        ? {
            ConditionExpression: condition.where,
            ExpressionAttributeNames: namesIn(condition.where),
            ...valuesOf(condition.values),
          }
        : {}),
    });
    await this.#call(operation, (abortSignal) => this.#client.send(command, { abortSignal }).catch(refusedItem));
  }

  /** Every matching row, strongly consistent, page by page. */
  async *scan(operation: string, filter: ScanFilter): AsyncGenerator<readonly Item[]> {
    let from: Item | undefined;
    do {
      const command: ScanCommand = new ScanCommand({
        TableName: this.#tableName,
        ConsistentRead: true,
        FilterExpression: filter.where,
        ExpressionAttributeNames: namesIn(filter.where),
        ...valuesOf(filter.values),
        ...(from ? { ExclusiveStartKey: from } : {}),
        ...(this.#scanPageRows === undefined ? {} : { Limit: this.#scanPageRows }),
      });
      const answer = await this.#call(operation, (abortSignal) => this.#client.send(command, { abortSignal }));
      yield answer.Items ?? [];
      from = answer.LastEvaluatedKey;
    } while (from);
  }

  /** Strongly consistent, any number of keys, absent rows left out. */
  async batchGet(operation: string, keys: readonly string[]): Promise<Item[]> {
    const items: Item[] = [];
    const distinct = [...new Set(keys)];
    for (let start = 0; start < distinct.length; start += BATCH_GET_KEYS) {
      items.push(...(await this.#batchOf100(operation, distinct.slice(start, start + BATCH_GET_KEYS))));
    }
    return items;
  }

  async #batchOf100(operation: string, keys: readonly string[]): Promise<Item[]> {
    const items: Item[] = [];
    let missing: Item[] = keys.map(keyOf);
    for (let attempt = 1; attempt <= BATCH_GET_ATTEMPTS; attempt++) {
      const command = new BatchGetItemCommand({
        RequestItems: { [this.#tableName]: { Keys: missing, ConsistentRead: true } },
      });
      const answer = await this.#call(operation, (abortSignal) => this.#client.send(command, { abortSignal }));
      items.push(...(answer.Responses?.[this.#tableName] ?? []));
      missing = answer.UnprocessedKeys?.[this.#tableName]?.Keys ?? [];
      if (missing.length === 0) return items;
      await this.#clock.sleep(backoffMs({ baseMs: 50, maxMs: 1_000 }, attempt));
    }
    throw new FleetStoreUnavailable(operation, new Error(`${missing.length} keys stayed unprocessed`));
  }

  async #call<T>(operation: string, send: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      const deadline = this.#clock.deadline(this.#callTimeoutMs);
      const answer = send(deadline);
      // The SDK does not look at the signal while it resolves credentials.
      const late = new Promise<never>((_, reject) => {
        deadline.addEventListener('abort', () => reject(deadline.reason), { once: true });
      });
      return await Promise.race([answer, late]);
    } catch (error) {
      throw toFleetError(operation, this.#tableName, error);
    }
  }
}

function keyOf(key: string): Item {
  return { leaseKey: { S: key } };
}

/** By expression: there are some tens of them in a process, and one is made for every heartbeat and checkpoint. */
const knownNames = new Map<string, Record<string, string>>();

function namesIn(expression: string): Record<string, string> {
  const known = knownNames.get(expression);
  if (known) return known;
  const names: Record<string, string> = {};
  for (const [alias, attribute] of expression.matchAll(/#(\w+)/g)) names[alias] = attribute ?? '';
  knownNames.set(expression, names);
  return names;
}

/** DynamoDB refuses an empty map of values. */
function valuesOf(values: Readonly<Record<string, AttributeValue>>): {
  ExpressionAttributeValues?: Record<string, AttributeValue>;
} {
  return Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: { ...values } };
}

function refusedItem(error: unknown): { readonly refused: Item | undefined } {
  if (error instanceof ConditionalCheckFailedException) return { refused: error.Item };
  throw error;
}
