/**
 * A whole fleet in one process: the stores, the stream, the network between them and the processes, and what watches
 * them. It starts and ends processes; when and why is the scenario's business.
 */
import type { Controller } from '../../controller/controller.ts';
import { isHealKey } from '../../lease/heal-lease.ts';
import type { Lease } from '../../lease/lease.ts';
import type { LeaseStore } from '../../lease/lease-store.ts';
import type { NewFleetRow } from '../../lease/worker-store.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { RecordStages } from '../../worker/shard/shard-parts.ts';
import type { Worker } from '../../worker/worker.ts';
import { HASH_SEED } from '../support/decoded-logins.ts';
import { FakeLeaseStore } from '../support/fake-lease-store.ts';
import { FakeFleetRows, FakeWorkerStore } from '../support/fake-worker-store.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { DeliveryInvariants } from './delivery-invariants.ts';
import type { Network } from './faults.ts';
import { SimHints } from './hints.ts';
import { LeaseInvariants, WatchedRows } from './lease-invariants.ts';
import type { Mutation, WorkerNames } from './mutation.ts';
import { type RareEvent, RareEventCounts } from './rare-events.ts';
import { SimRedis } from './redis.ts';
import type { Schedule } from './schedule.ts';
import { WALL_START_MS, type WorldSettings } from './settings.ts';
import { type OPERATOR, SimProcess } from './sim-process.ts';
import type { SlotImage } from './slot-history.ts';
import { SlotInvariants } from './slot-invariants.ts';
import { SimStream } from './stream.ts';
import type { Trace } from './trace.ts';
import { Truth } from './truth.ts';
import { Verdict } from './verdict.ts';
import { Wire } from './wire.ts';

export interface WorldParts {
  readonly random: SeededRandom;
  readonly settings: WorldSettings;
  readonly schedule: Schedule;
  readonly network: Network;
  readonly trace: Trace;
  readonly stages: RecordStages;
  readonly mutation: Mutation;
}

/** Half the skew of the worst wall clock. */
const WALL_SKEW_MS = 600_000;
const MONOTONIC_ZERO_MS = 1_000_000;

/** What a process does until it has ended. */
export type Program = (world: World, process: SimProcess) => Promise<void>;

export class World implements WorldParts {
  readonly random: SeededRandom;
  readonly settings: WorldSettings;
  readonly schedule: Schedule;
  readonly network: Network;
  readonly trace: Trace;
  readonly stages: RecordStages;
  readonly mutation: Mutation;
  readonly verdict: Verdict;
  readonly wire: Wire;
  readonly hints: SimHints;
  readonly stream: SimStream;
  readonly truth: Truth;
  readonly redis: SimRedis;
  readonly leaseRows = new WatchedRows();
  readonly fleetRows = new FakeFleetRows();
  readonly leaseInvariants: LeaseInvariants;
  readonly slotInvariants: SlotInvariants;
  readonly delivery: DeliveryInvariants;
  readonly processes: SimProcess[] = [];
  readonly workersRunning = new Map<SimProcess, Worker>();
  readonly controllersRunning = new Map<SimProcess, Controller>();
  readonly rare = new RareEventCounts();
  #leaptMs = 0;
  readonly #ids = new Map<SimProcess, Set<string>>();

  constructor(parts: WorldParts) {
    const { random, settings, schedule, network, trace, stages, mutation } = parts;
    this.random = random;
    this.settings = settings;
    this.schedule = schedule;
    this.network = network;
    this.trace = trace;
    this.stages = stages;
    this.mutation = mutation;
    this.verdict = new Verdict(() => schedule.nowMs);
    this.wire = new Wire(schedule, network, trace);
    this.hints = new SimHints(schedule, network, trace);
    const wallMs = (): number => Math.floor(this.wallMs());
    this.stream = new SimStream(random, settings.shards, wallMs, () => network.happens('expireIterator'));
    this.truth = new Truth(random, stages);
    const { verdict, truth, stream } = this;
    const redis = (): SimRedis => this.redis;
    this.leaseInvariants = new LeaseInvariants({ verdict, truth, stream, redis, rows: this.leaseRows });
    this.leaseRows.onChange = (before, after) => {
      this.leaseInvariants.changed(before, after);
      if (after?.owner !== undefined && before?.owner !== after.owner && isHealKey(after.key)) {
        this.rare.saw('healLease');
      }
    };
    const idsOf = (process: SimProcess): ReadonlySet<string> => this.#idsOf(process);
    const { slots } = settings.spec;
    const nowMs = (): number => schedule.nowMs;
    const leases = this.leaseInvariants;
    this.delivery = new DeliveryInvariants(verdict, truth);
    const onSettledLost = (slot: number, settled: SlotImage): void => {
      leases.losesSettled(slot, settled);
      this.delivery.losesSettled();
    };
    const saw = (event: RareEvent): void => this.rare.saw(event);
    this.slotInvariants = new SlotInvariants({
      verdict,
      truth,
      redis,
      idsOf,
      leases,
      nowMs,
      slots,
      onSettledLost,
      saw,
    });
    const { spec, settleMs, longestTailMs } = settings;
    const bug = mutation.ledger ?? {};
    this.redis = new SimRedis({ ...parts, spec, settleMs, longestTailMs, watcher: this.slotInvariants, bug });
  }

  /** The true time. */
  wallMs(): number {
    return WALL_START_MS + this.#leaptMs + this.schedule.nowMs;
  }

  /** Nothing arrives for so long that what came before may be forgotten as soon as it is read. */
  leap(ms: number): void {
    this.trace.note('world', 'leaps', () => `over ${ms} ms`);
    this.#leaptMs += ms;
    this.truth.passHorizon();
  }

  start(name: string, program: Program): SimProcess {
    const { random } = this;
    const process = new SimProcess(
      this.schedule,
      name,
      random.pick([0, 0, -WALL_SKEW_MS, WALL_SKEW_MS]),
      random.int(MONOTONIC_ZERO_MS),
    );
    this.processes.push(process);
    this.trace.note(name, 'starts');
    const defect = (error: unknown): void => {
      if (process.isDead || process.terminated.signal.aborted) return;
      this.verdict.require(false, 'NoDefect', () => `${name} failed: ${errorMessage(error)}`);
    };
    this.schedule.after(0, process, () => {
      program(this, process)
        .catch(defect)
        .finally(() => {
          if (!process.isDead) this.end(process, 'exits');
        });
    });
    return process;
  }

  /** As kill -9: nothing it does from now on happens, and nobody answers it. */
  end(process: SimProcess, how: 'is killed' | 'exits'): void {
    process.isDead = true;
    this.workersRunning.delete(process);
    this.controllersRunning.delete(process);
    this.trace.note(process.name, how);
  }

  alive(kind: 'w' | 'c' | typeof OPERATOR): SimProcess[] {
    return this.processes.filter((process) => !process.isDead && process.name.startsWith(kind));
  }

  /** A worker id that this process takes. */
  named(id: string, process: SimProcess): string {
    this.#idsOf(process).add(id);
    return id;
  }

  namesOf(process: SimProcess): WorkerNames {
    const ids = this.#idsOf(process);
    return { has: (id) => id !== undefined && ids.has(id), lastId: () => [...ids].at(-1) };
  }

  /** The lease rows as one process writes them, before the network. */
  leaseStoreOf(process: SimProcess): LeaseStore {
    const store: LeaseStore = this.mutation.leaseRows?.(this.leaseRows) ?? new FakeLeaseStore(this.leaseRows);
    const written = (key: string, lease: Lease | undefined): void => {
      if (lease) this.delivery.checkpointed(process, key, lease);
    };
    const { checkpoint, shardEnd } = store;
    return Object.assign(store, {
      checkpoint: async (...args: Parameters<LeaseStore['checkpoint']>) => {
        const outcome = await checkpoint.apply(store, args);
        if (outcome.won) written(args[0].key, outcome.lease);
        return outcome;
      },
      shardEnd: async (...args: Parameters<LeaseStore['shardEnd']>) => {
        const outcome = await shardEnd.apply(store, args);
        if (outcome.won) written(args[0].key, outcome.lease);
        return outcome;
      },
    });
  }

  /** Worker rows likewise. The fleet's hash seed is random in production. */
  workerStoreOf(): FakeWorkerStore {
    const store = new FakeWorkerStore(this.fleetRows);
    const createFleet = store.createFleet.bind(store);
    return Object.assign(store, {
      createFleet: (row: NewFleetRow) => createFleet({ ...row, hashSeed: HASH_SEED }),
    });
  }

  #idsOf(process: SimProcess): Set<string> {
    const known = this.#ids.get(process) ?? new Set<string>();
    this.#ids.set(process, known);
    return known;
  }
}
