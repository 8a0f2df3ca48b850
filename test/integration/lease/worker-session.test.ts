/** Worker sessions and leadership upon a real table and the real clock. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureTable } from '../../../lease/dynamodb/ensure-table.ts';
import { createFleetStores, type FleetStores } from '../../../lease/dynamodb/fleet-stores.ts';
import { RowLeadership } from '../../../lease/leadership.ts';
import { createWorkerIds } from '../../../lease/worker-id.ts';
import { WorkerSession } from '../../../lease/worker-session.ts';
import type { Orders } from '../../../lease/worker-store.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { type Dynalite, startDynalite, TEST_CREDENTIALS } from '../../support/dynalite.ts';

let dynalite: Dynalite;
let stores: FleetStores;
const tableName = 'fleet';

beforeAll(async () => {
  dynalite = await startDynalite();
  const { endpoint } = dynalite;
  stores = createFleetStores({
    tableName,
    clock: systemClock,
    region: 'us-east-1',
    endpoint,
    credentials: TEST_CREDENTIALS,
  });
  await ensureTable({ client: stores.client, clock: systemClock, tableName, create: true, pollMs: 10 });
});
afterAll(async () => {
  stores.close();
  await dynalite.stop();
});

describe('a worker session on a table', () => {
  it('brings orders long before its next heartbeat when it is nudged', async () => {
    const stop = new AbortController();
    const seen: Orders[] = [];
    const session = new WorkerSession({
      store: stores.workers,
      clock: systemClock,
      logger: silentLogger,
      newId: createWorkerIds('host'),
      status: () => ({ state: 'active', load: { leases: 0, bytesPerSecond: 0.4 } }),
      heartbeatMs: 60_000,
      leaseDurationMs: 180_000,
      listener: {
        onRegistered: () => undefined,
        onOrders: (orders) => seen.push(orders),
        onSelfFenced: () => undefined,
        onDrainWritten: () => undefined,
        onGone: () => undefined,
      },
    });
    const running = session.run(stop.signal);
    try {
      await vi.waitFor(() => expect(session.isTrusted()).toBe(true), { timeout: 20_000, interval: 5 });
      const orders: Orders = { version: 1, orders: [{ leaseKey: 'a', verb: 'hold' }] };
      await stores.workers.writeOrders(session.id() ?? '', orders);

      session.nudge();

      await vi.waitFor(() => expect(seen).toEqual([orders]), { timeout: 20_000, interval: 5 });
    } finally {
      stop.abort();
      await running;
    }
  });
});

describe('leadership on a table', () => {
  it('goes from one to the next at a shutdown', async () => {
    const start = (holder: string) => {
      const stop = new AbortController();
      const options = { store: stores.leader, clock: systemClock, logger: silentLogger, holder, retryMs: 40 };
      const leadership = new RowLeadership(options);
      const running = leadership.run(stop.signal, async (term) => {
        await new Promise((resolve) => term.addEventListener('abort', resolve, { once: true }));
      });
      return { stop, leadership, running };
    };
    const a = start('a');
    await vi.waitFor(() => expect(a.leadership.isLeading()).toBe(true), { timeout: 20_000, interval: 5 });
    const b = start('b');
    try {
      a.stop.abort();
      await a.running;

      await vi.waitFor(() => expect(b.leadership.isLeading()).toBe(true), { timeout: 20_000, interval: 5 });
      expect(a.leadership.isLeading()).toBe(false);
    } finally {
      b.stop.abort();
      await b.running;
    }
    expect(await stores.leader.readLeader()).toBeUndefined();
  });
});
