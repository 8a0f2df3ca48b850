/**
 * A worker session upon a fake store and a fake clock, new and running for each test, with all that it tells as text.
 */
import { WorkerSession } from '../../lease/worker-session.ts';
import type { WorkerState } from '../../lease/worker-store.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeFleetRows, FakeWorkerStore } from './fake-worker-store.ts';

export class WorkerSessionFixture {
  #ids = 0;
  clock = new FakeClock();
  rows = new FakeFleetRows();
  store = new FakeWorkerStore(this.rows);
  told: string[] = [];
  state: WorkerState = 'active';
  stop = new AbortController();
  session = this.newSession();
  running = this.session.run(this.stop.signal);

  constructor() {
    // A test that expects the failure awaits it itself.
    this.running.catch(() => undefined);
  }

  newSession(): WorkerSession {
    return new WorkerSession({
      store: this.store,
      clock: this.clock,
      logger: silentLogger,
      newId: () => `w${++this.#ids}`,
      status: () => ({ state: this.state, load: { leases: 2, bytesPerSecond: 10 } }),
      heartbeatMs: 1_000,
      leaseDurationMs: 10_000,
      random: () => 0.5,
      listener: {
        onRegistered: (id) => this.told.push(`registered ${id}`),
        onOrders: ({ version, orders }) => this.told.push(`orders ${version}: ${orders.map((o) => o.leaseKey).join()}`),
        onSelfFenced: (id) => this.told.push(`fenced ${id} at ${this.clock.monotonicMs()}`),
        onDrainWritten: () => undefined,
        onGone: (id) => this.told.push(`gone ${id}`),
      },
    });
  }

  heartbeats(): number {
    return this.store.faults.calls.filter((call) => call === 'heartbeat').length;
  }

  /** What a controller does. */
  async order(id: string, version: number, ...keys: string[]): Promise<void> {
    const controller = new FakeWorkerStore(this.rows);
    await controller.writeOrders(id, { version, orders: keys.map((leaseKey) => ({ leaseKey, verb: 'hold' })) });
  }

  /** Ends the session; answers how many still sleep, which must be nobody. */
  async end(): Promise<number> {
    this.stop.abort();
    await this.clock.flush();
    return this.clock.sleeping();
  }
}
