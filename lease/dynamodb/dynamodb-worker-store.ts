/**
 * WorkerStore on DynamoDB. Rows `worker/<id>` (small: a heartbeat is billed by item size) and `orders/<id>`, and the
 * set of registered ids in the fleet row, so that a controller reads workers by key and never scans for them.
 */
import { randomUUID } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { BrokenRow } from '../broken-row.ts';
import type {
  HeartbeatAnswer,
  Order,
  Orders,
  WorkerLoad,
  WorkerRow,
  WorkerState,
  WorkerStore,
} from '../worker-store.ts';
import { brokenRow, number, readCount, readText, requireCount, requireText, text } from './attribute.ts';
import { FLEET_KEY } from './dynamodb-fleet-store.ts';
import type { FleetTable, Item } from './fleet-table.ts';

export interface DynamoDbWorkerStoreOptions {
  /** Told of each row that readWorkers had to leave out. */
  readonly onBrokenRow?: (row: BrokenRow) => void;
}

const WORKER = 'worker/';
const ORDERS = 'orders/';
const ROW_EXISTS = 'attribute_exists(#leaseKey)';

export class DynamoDbWorkerStore implements WorkerStore {
  readonly #table: FleetTable;
  readonly #onBrokenRow: (row: BrokenRow) => void;
  /** In every row that this store creates: tells an own registration whose answer was lost from another's. */
  readonly #registrar = randomUUID();

  constructor(table: FleetTable, options: DynamoDbWorkerStoreOptions = {}) {
    this.#table = table;
    this.#onBrokenRow = options.onBrokenRow ?? (() => undefined);
  }

  async register(id: string): Promise<boolean> {
    const created = await this.#table.update('register', WORKER + id, {
      update: `SET #entityType = :worker, #beats = :zero, #workerState = :starting, #leases = :zero,
        #bytesPerSecond = :zero, #ordersVersion = :zero, #registrar = :registrar`,
      when: 'attribute_not_exists(#leaseKey)',
      values: {
        ':worker': text('WORKER'),
        ':zero': number(0),
        ':starting': text('starting'),
        ':registrar': text(this.#registrar),
      },
    });
    if (!created.applied && !this.#isOwnRegistration(created.item)) return false;
    await this.#changeWorkers('register', 'ADD', id);
    return true;
  }

  async heartbeat(id: string, state: WorkerState, load: WorkerLoad): Promise<HeartbeatAnswer> {
    const said = saidOf(state, load);
    const unsaid = OPTIONAL_LOAD.filter((attribute) => said[attribute] === undefined);
    const result = await this.#table.update('heartbeat', WORKER + id, {
      update: [
        `SET ${Object.keys(said).map((attribute) => `#${attribute} = :${attribute}`)}`,
        ...(unsaid.length > 0 ? [`REMOVE ${unsaid.map((attribute) => `#${attribute}`)}`] : []),
        'ADD #beats :one',
      ].join(' '),
      when: ROW_EXISTS,
      values: {
        ...Object.fromEntries(Object.entries(said).map(([attribute, value]) => [`:${attribute}`, value])),
        ':one': number(1),
      },
    });
    if (!result.applied) return 'gone';
    return { beats: requireCount(result.item, 'beats'), ordersVersion: requireCount(result.item, 'ordersVersion') };
  }

  async readWorkers(ids: readonly string[]): Promise<WorkerRow[]> {
    const items = await this.#table.batchGet(
      'readWorkers',
      ids.map((id) => WORKER + id),
    );
    const rows: WorkerRow[] = [];
    for (const item of items) {
      try {
        rows.push(workerRowOf(item));
      } catch (error) {
        if (!(error instanceof BrokenRow)) throw error;
        this.#onBrokenRow(error);
      }
    }
    return rows;
  }

  /** Orders older than the stored ones come from a controller that leads no more: dropped. */
  async writeOrders(id: string, orders: Orders): Promise<boolean> {
    await this.#table.update('writeOrders', ORDERS + id, {
      update: 'SET #entityType = :orders, #ordersVersion = :version, #orders = :list',
      when: 'attribute_not_exists(#leaseKey) OR #ordersVersion <= :version',
      values: { ':orders': text('ORDERS'), ':version': number(orders.version), ':list': listOf(orders.orders) },
    });
    const told = await this.#table.update('writeOrders', WORKER + id, {
      update: 'SET #ordersVersion = :version',
      when: `${ROW_EXISTS} AND #ordersVersion <= :version`,
      values: { ':version': number(orders.version) },
    });
    if (told.applied || told.item) return true;
    await this.#table.remove('writeOrders', ORDERS + id);
    return false;
  }

  async readOrders(id: string): Promise<Orders | undefined> {
    const item = await this.#table.get('readOrders', ORDERS + id);
    return item && { version: requireCount(item, 'ordersVersion'), orders: ordersOf(item) };
  }

  /** The set last: when this dies half-way the id is still seen there, and removed again. */
  async remove(id: string): Promise<void> {
    await this.#table.remove('remove', WORKER + id);
    await this.#table.remove('remove', ORDERS + id);
    await this.#changeWorkers('remove', 'DELETE', id);
  }

  /** Without a condition: a worker may register before the first controller has created the fleet row. */
  async #changeWorkers(operation: string, verb: 'ADD' | 'DELETE', id: string): Promise<void> {
    await this.#table.update(operation, FLEET_KEY, {
      update: `SET #entityType = :fleet ${verb} #workers :id`,
      values: { ':fleet': text('FLEET'), ':id': { SS: [id] } },
    });
  }

  #isOwnRegistration(found: Item | undefined): boolean {
    return found !== undefined && readText(found, 'registrar') === this.#registrar;
  }
}

const OPTIONAL_LOAD = ['busiest', 'othersBytesPerSecond', 'zone', 'capacity'] as const;

/** Attributes of a heartbeat by name. */
function saidOf(state: WorkerState, load: WorkerLoad): Readonly<Record<string, AttributeValue>> {
  const { leases, bytesPerSecond, busiest, othersBytesPerSecond, zone, capacity } = load;
  const rates = [...(busiest ?? [])].map(([shardId, rate]) => [shardId, number(Math.round(rate))] as const);
  return {
    workerState: text(state),
    leases: number(leases),
    bytesPerSecond: number(Math.round(bytesPerSecond)),
    ...(rates.length > 0 ? { busiest: { M: Object.fromEntries(rates) } } : {}),
    ...(othersBytesPerSecond === undefined ? {} : { othersBytesPerSecond: number(Math.round(othersBytesPerSecond)) }),
    ...(zone === undefined ? {} : { zone: text(zone) }),
    ...(capacity === undefined ? {} : { capacity: number(capacity) }),
  };
}

function loadOf(item: Item): WorkerLoad {
  const rates = item.busiest?.M;
  const shardIds = Object.keys(rates ?? {});
  return {
    leases: requireCount(item, 'leases'),
    bytesPerSecond: requireCount(item, 'bytesPerSecond'),
    busiest: rates && new Map(shardIds.map((shardId) => [shardId, requireCount(rates, shardId)])),
    othersBytesPerSecond: readCount(item, 'othersBytesPerSecond'),
    zone: readText(item, 'zone'),
    capacity: readCount(item, 'capacity'),
  };
}

function workerRowOf(item: Item): WorkerRow {
  return {
    id: requireText(item, 'leaseKey').slice(WORKER.length),
    beats: requireCount(item, 'beats'),
    state: workerStateOf(item),
    load: loadOf(item),
    ordersVersion: requireCount(item, 'ordersVersion'),
  };
}

function workerStateOf(item: Item): WorkerState {
  const state = requireText(item, 'workerState');
  if (state === 'starting' || state === 'active' || state === 'draining') return state;
  throw brokenRow(item, 'workerState', `is unknown: ${state}`);
}

function listOf(orders: readonly Order[]): AttributeValue {
  return { L: orders.map((order) => text(`${order.verb} ${order.leaseKey}`)) };
}

function ordersOf(item: Item): Order[] {
  const list = item.orders?.L;
  if (!list) throw brokenRow(item, 'orders', 'is not a list');
  return list.map((entry) => {
    const [, verb, leaseKey] = /^(hold|drain) (.+)$/.exec(entry.S ?? '') ?? [];
    if (leaseKey === undefined) throw brokenRow(item, 'orders', `has an entry that is no order: ${entry.S ?? ''}`);
    return { verb: verb === 'drain' ? 'drain' : 'hold', leaseKey };
  });
}
