/**
 * A DynamoDB in memory that bills as the real one does on demand: a write costs the larger of the item before and after
 * it in units of 1 KiB, also when its condition fails; a strongly consistent read costs units of 4 KiB, per item in a
 * get or a batch, over everything looked at in a scan. Only for single-threaded tests: each call is atomic.
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
import { holds, type Item, type Placeholders, updated } from './dynamodb-expression.ts';

export interface Bill {
  calls: number;
  writeUnits: number;
  readUnits: number;
}

const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;
const SCAN_PAGE_BYTES = 1_048_576;

export class MeteredDynamoDb {
  readonly items = new Map<string, Item>();
  /** By operation and kind of row: `update worker`, `scan all`. */
  readonly bills = new Map<string, Bill>();
  /** As the stores take it. */
  readonly client: DynamoDBClient;

  constructor() {
    const send = (command: unknown): Promise<unknown> => Promise.resolve().then(() => this.#answer(command));
    this.client = { send, destroy: () => undefined } as unknown as DynamoDBClient;
  }

  /** Everything that matches, together. */
  total(match: RegExp = /./): Bill {
    const sum: Bill = { calls: 0, writeUnits: 0, readUnits: 0 };
    for (const [what, bill] of this.bills) {
      if (!match.test(what)) continue;
      sum.calls += bill.calls;
      sum.writeUnits += bill.writeUnits;
      sum.readUnits += bill.readUnits;
    }
    return sum;
  }

  #answer(command: unknown): object {
    if (command instanceof UpdateItemCommand) return this.#update(command.input);
    if (command instanceof DeleteItemCommand) return this.#delete(command.input);
    if (command instanceof GetItemCommand) return this.#get(command.input);
    if (command instanceof BatchGetItemCommand) return this.#batchGet(command.input);
    if (command instanceof ScanCommand) return this.#scan(command.input);
    throw new Error('a call that the fleet table does not make');
  }

  #update(input: UpdateItemCommand['input']): object {
    const key = keyOf(input.Key);
    const before = this.items.get(key);
    const placeholders = placeholdersOf(input);
    if (input.ConditionExpression && !holds(input.ConditionExpression, before, placeholders)) {
      this.#charge('update', key, { writeUnits: units(before, WRITE_UNIT_BYTES) });
      throw failedCondition(before);
    }
    const after = updated(before ?? { leaseKey: { S: key } }, input.UpdateExpression ?? '', placeholders);
    const writeUnits = Math.max(units(before, WRITE_UNIT_BYTES), units(after, WRITE_UNIT_BYTES));
    this.#charge('update', key, { writeUnits });
    this.items.set(key, after);
    return { Attributes: after };
  }

  #delete(input: DeleteItemCommand['input']): object {
    const key = keyOf(input.Key);
    const before = this.items.get(key);
    this.#charge('delete', key, { writeUnits: units(before, WRITE_UNIT_BYTES) });
    if (input.ConditionExpression && !holds(input.ConditionExpression, before, placeholdersOf(input))) {
      throw failedCondition(before);
    }
    this.items.delete(key);
    return {};
  }

  #get(input: GetItemCommand['input']): object {
    const item = this.items.get(keyOf(input.Key));
    this.#charge('get', keyOf(input.Key), { readUnits: units(item, READ_UNIT_BYTES) });
    return item ? { Item: item } : {};
  }

  #batchGet({ RequestItems = {} }: BatchGetItemCommand['input']): object {
    const [[table, { Keys = [] }] = ['', {}]] = Object.entries(RequestItems);
    const found = Keys.map((key) => this.items.get(keyOf(key)));
    const readUnits = found.reduce((sum, item) => sum + units(item, READ_UNIT_BYTES), 0);
    this.#charge('batch', keyOf(Keys[0]), { readUnits });
    return { Responses: { [table]: found.filter((item) => item !== undefined) } };
  }

  #scan(input: ScanCommand['input']): object {
    const all = [...this.items];
    const from = input.ExclusiveStartKey ? all.findIndex(([key]) => key === keyOf(input.ExclusiveStartKey)) + 1 : 0;
    const page: Item[] = [];
    let bytes = 0;
    let last = from;
    while (last < all.length && bytes < SCAN_PAGE_BYTES) {
      const [, item] = all[last++]!;
      bytes += bytesOf(item);
      if (holds(input.FilterExpression ?? '', item, placeholdersOf(input))) page.push(item);
    }
    this.#charge('scan', 'all', { readUnits: Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) });
    return { Items: page, ...(last < all.length ? { LastEvaluatedKey: { leaseKey: { S: all[last - 1]![0] } } } : {}) };
  }

  #charge(operation: string, key: string, { writeUnits = 0, readUnits = 0 }: Partial<Bill>): void {
    const what = `${operation} ${kindOf(key)}`;
    const bill = this.bills.get(what) ?? { calls: 0, writeUnits: 0, readUnits: 0 };
    bill.calls++;
    bill.writeUnits += writeUnits;
    bill.readUnits += readUnits;
    this.bills.set(what, bill);
  }
}

function kindOf(key: string): string {
  if (key.includes('shardId-')) return 'lease';
  return key.split('/')[0] ?? key;
}

function keyOf(key: Item | undefined): string {
  return key?.leaseKey?.S ?? '';
}

function placeholdersOf(input: {
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, AttributeValue> | undefined;
}): Placeholders {
  return { names: input.ExpressionAttributeNames ?? {}, values: input.ExpressionAttributeValues ?? {} };
}

function failedCondition(item: Item | undefined): ConditionalCheckFailedException {
  const found = item ? { Item: { ...item } } : {};
  return new ConditionalCheckFailedException({ $metadata: {}, message: 'the condition failed', ...found });
}

function units(item: Item | undefined, unitBytes: number): number {
  return Math.max(1, Math.ceil((item ? bytesOf(item) : 0) / unitBytes));
}

const knownBytes = new WeakMap<Item, number>();

/** As DynamoDB documents it: names and values in UTF-8, numbers at half a byte per digit and one more. */
function bytesOf(item: Item): number {
  const known = knownBytes.get(item);
  if (known !== undefined) return known;
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + bytesOfValue(value);
  knownBytes.set(item, bytes);
  return bytes;
}

function bytesOfValue(value: AttributeValue): number {
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value.M) return 3 + bytesOf(value.M) + Object.keys(value.M).length;
  if (value.L) return value.L.reduce((sum, one) => sum + bytesOfValue(one) + 1, 3);
  return (value.SS ?? [value.S ?? '']).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
