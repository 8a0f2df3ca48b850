/**
 * WorkerStore, FleetStore and LeaderStore in memory. Several stores over the same FakeFleetRows are several
 * processes: each knows its own registrations, and has failures of its own.
 */
import type {
  FleetRow,
  FleetStore,
  HeartbeatAnswer,
  LeaderRow,
  LeaderStore,
  NewFleetRow,
  Orders,
  WorkerLoad,
  WorkerRow,
  WorkerState,
  WorkerStore,
} from '../../lease/worker-store.ts';
import { StoreFaults } from './store-faults.ts';

export class FakeFleetRows {
  readonly workers = new Map<string, WorkerRow>();
  readonly orders = new Map<string, Orders>();
  readonly registered = new Set<string>();
  fleet: Omit<FleetRow, 'workers'> | undefined;
  leader: LeaderRow | undefined;
  ledgerJobGeneration = 0;
}

export class FakeWorkerStore implements WorkerStore, FleetStore, LeaderStore {
  readonly faults = new StoreFaults();
  readonly rows: FakeFleetRows;
  readonly #own = new Set<string>();

  constructor(rows: FakeFleetRows = new FakeFleetRows()) {
    this.rows = rows;
  }

  register(id: string): Promise<boolean> {
    return this.faults.around('register', () => {
      if (this.rows.workers.has(id) && !this.#own.has(id)) return false;
      this.#own.add(id);
      if (!this.rows.workers.has(id)) {
        const load = { leases: 0, bytesPerSecond: 0 };
        this.rows.workers.set(id, { id, beats: 0, state: 'starting', load, ordersVersion: 0 });
      }
      this.rows.registered.add(id);
      return true;
    });
  }

  heartbeat(id: string, state: WorkerState, load: WorkerLoad): Promise<HeartbeatAnswer> {
    return this.faults.around('heartbeat', () => {
      const row = this.rows.workers.get(id);
      if (!row) return 'gone';
      const beats = row.beats + 1;
      this.rows.workers.set(id, { ...row, beats, state, load: { ...load } });
      return { beats, ordersVersion: row.ordersVersion };
    });
  }

  readWorkers(ids: readonly string[]): Promise<WorkerRow[]> {
    return this.faults.around('readWorkers', () =>
      [...new Set(ids)].map((id) => this.rows.workers.get(id)).filter((row) => row !== undefined),
    );
  }

  writeOrders(id: string, orders: Orders): Promise<boolean> {
    return this.faults.around('writeOrders', () => {
      const row = this.rows.workers.get(id);
      if (!row) return false;
      const stored = this.rows.orders.get(id);
      if (!stored || stored.version <= orders.version) this.rows.orders.set(id, orders);
      const ordersVersion = Math.max(row.ordersVersion, orders.version);
      this.rows.workers.set(id, { ...row, ordersVersion });
      return true;
    });
  }

  readOrders(id: string): Promise<Orders | undefined> {
    return this.faults.around('readOrders', () => this.rows.orders.get(id));
  }

  remove(id: string): Promise<void> {
    return this.faults.around('remove', () => {
      this.rows.workers.delete(id);
      this.rows.orders.delete(id);
      this.rows.registered.delete(id);
    });
  }

  createFleet(row: NewFleetRow): Promise<FleetRow> {
    return this.faults.around('createFleet', () => {
      this.rows.fleet ??= row;
      return this.#fleetRow(this.rows.fleet);
    });
  }

  readFleet(): Promise<FleetRow | undefined> {
    return this.faults.around('readFleet', () => this.rows.fleet && this.#fleetRow(this.rows.fleet));
  }

  adoptStream(seen: number, created: number): Promise<FleetRow | undefined> {
    return this.faults.around('adoptStream', () => {
      const row = this.rows.fleet;
      if (row?.streamCreationEpochSeconds === seen) {
        this.rows.fleet = { ...row, streamCreationEpochSeconds: created, previousCreationEpochSeconds: seen };
      }
      return this.rows.fleet && this.#fleetRow(this.rows.fleet);
    });
  }

  rememberScaled(deploymentUid: string): Promise<boolean> {
    return this.faults.around('rememberScaled', () => {
      if (!this.rows.fleet) return false;
      this.rows.fleet = { ...this.rows.fleet, scaledDeploymentUid: deploymentUid };
      return true;
    });
  }

  raiseLedgerJob(by: number): Promise<number | undefined> {
    return this.faults.around('raiseLedgerJob', () => {
      if (!this.rows.fleet) return undefined;
      this.rows.ledgerJobGeneration += by;
      return this.rows.ledgerJobGeneration;
    });
  }

  readLeader(): Promise<LeaderRow | undefined> {
    return this.faults.around('readLeader', () => this.rows.leader);
  }

  claimLeader(holder: string, seen: LeaderRow | undefined): Promise<LeaderRow | undefined> {
    return this.faults.around('claimLeader', () => {
      const found = this.rows.leader;
      const beats = (seen?.beats ?? 0) + 1;
      if (found?.holder === holder && found.beats === beats) return found;
      if (found?.holder !== seen?.holder || found?.beats !== seen?.beats) return undefined;
      this.rows.leader = { holder, beats };
      return this.rows.leader;
    });
  }

  resignLeader(holder: string): Promise<void> {
    return this.faults.around('resignLeader', () => {
      if (this.rows.leader?.holder === holder) this.rows.leader = undefined;
    });
  }

  #fleetRow(row: Omit<FleetRow, 'workers'>): FleetRow {
    return { ...row, workers: [...this.rows.registered].sort((a, b) => (a < b ? -1 : 1)) };
  }
}
