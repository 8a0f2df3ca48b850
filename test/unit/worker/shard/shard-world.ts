/**
 * A world for shard consumers: one shard's log in memory, the reference ledger, the fake lease store, dead letters that
 * lie beside slot 0. Processes share it; each reaches it through a gate of its own, where it can die at any call. The
 * tail of a slot can be lost. A record's payload is the number of its identity, or `x` for one without identity.
 */
import { expect } from 'vitest';
import type { Lease } from '../../../../lease/lease.ts';
import { checkpointPosition, type Position, positionOf } from '../../../../lease/position.ts';
import type { Ledger } from '../../../../ledger/ledger.ts';
import {
  createReferenceLedger,
  emptyReferenceState,
  type ReferenceSlot,
  type ReferenceState,
} from '../../../../ledger/reference.ts';
import { silentLogger } from '../../../../runtime/logger.ts';
import { noSignals } from '../../../../signal/signals.ts';
import { CheckpointBook } from '../../../../worker/checkpoint/checkpoint-book.ts';
import { Advancer } from '../../../../worker/ledger/advancer.ts';
import { positionAt } from '../../../../worker/ledger/batch-part.ts';
import { untilAborted, Waiting } from '../../../../worker/ledger/waiting.ts';
import type { DecodedBatch } from '../../../../worker/pipeline/decoded-batch.ts';
import type { UserRecords } from '../../../../worker/pipeline/user-records.ts';
import { ShardConsumer } from '../../../../worker/shard/consumer.ts';
import { FlowCounts } from '../../../../worker/shard/flow-counts.ts';
import { claimOf, type WorkerParts } from '../../../../worker/shard/shard-parts.ts';
import type { DeadLetterSink } from '../../../../worker/sink/dead-letter-sink.ts';
import type { ChildShard } from '../../../../worker/source/raw-batch.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeLeaseStore } from '../../../support/fake-lease-store.ts';
import { buildLease, testLeaseKey } from '../../../support/lease-builder.ts';
import { ledgerSpec } from '../../../support/ledger-builder.ts';
import { identify } from '../ledger/identified.ts';
import { MemoryShard } from './memory-shard.ts';

export const KEY = testLeaseKey('shardId-000000000000');
export const SETTLE_MS = 2_000;
export const CHECKPOINT_MS = 500;

/** How a process reaches the outside. Once dead, nothing it does happens and nobody answers it. */
export class Gate {
  calls = 0;
  isDead = false;
  /** Number of the call at which it dies, and on which side of the effect. */
  readonly dieAt: { readonly call: number; readonly side: 'before' | 'after' } | undefined;

  constructor(dieAt: Gate['dieAt']) {
    this.dieAt = dieAt;
  }

  async pass<T>(apply: () => Promise<T>): Promise<T> {
    this.calls += 1;
    const isLast = this.dieAt?.call === this.calls;
    if (isLast && this.dieAt?.side === 'before') this.isDead = true;
    if (this.isDead) return new Promise<T>(() => undefined);
    const result = await apply();
    if (isLast) this.isDead = true;
    return this.isDead ? new Promise<T>(() => undefined) : result;
  }
}

export interface Process {
  readonly workerId: string;
  readonly gate: Gate;
  readonly consumer: ShardConsumer;
  readonly counts: FlowCounts;
  readonly ended: Promise<'Released' | 'Aborted'>;
  /** As kill -9: nothing it does from now on happens. */
  kill(): Promise<void>;
}

export class ShardWorld {
  readonly clock = new FakeClock();
  readonly spec = ledgerSpec({ slots: 2, periodMs: 3_600_000, horizonMs: 1_800_000 });
  readonly shard: MemoryShard;
  readonly state: ReferenceState;
  readonly ledger: ReturnType<typeof createReferenceLedger>;
  readonly rows = new Map<string, Lease>();
  readonly store = new FakeLeaseStore(this.rows);
  /** Positions of dead letters; part of slot 0: its tail goes with the slot's. */
  deadLetters: Position[] = [];
  readonly processes: Process[] = [];
  readonly book = new CheckpointBook();
  settleMs = SETTLE_MS;

  constructor(slots = 2) {
    this.spec = { ...this.spec, slots };
    this.shard = new MemoryShard(this.clock);
    this.state = emptyReferenceState(slots);
    this.ledger = createReferenceLedger(this.spec, this.state);
    this.store.put(buildLease({ key: KEY, shardId: 'shardId-000000000000' }));
  }

  get lease(): Lease {
    return this.rows.get(KEY)!;
  }

  /** Gives the lease to a new worker, as a controller does with a dead owner's, and starts its consumer. */
  start(overrides: Partial<WorkerParts> = {}, dieAt?: Gate['dieAt']): Process {
    const generation = this.lease.generation + 1;
    const workerId = `worker-${generation}`;
    const { checkpointOwner: _, ...lease } = this.lease;
    this.store.put({ ...lease, owner: workerId, generation });
    return this.startAgain(workerId, overrides, dieAt);
  }

  /** Starts a consumer in the generation of the row as it is. */
  startAgain(
    workerId: string,
    overrides: Partial<WorkerParts> = {},
    dieAt?: Gate['dieAt'],
    lease: Lease = this.lease,
  ): Process {
    const gate = new Gate(dieAt);
    const { ledger } = this;
    const gated: Ledger = {
      open: (request) => gate.pass(() => ledger.open(request)),
      commit: (request) => gate.pass(() => ledger.commit(request)),
      advance: (slot, requests) => gate.pass(() => ledger.advance(slot, requests)),
    };
    const counts = new FlowCounts();
    const parts = this.#parts(gated, gate, counts, overrides);
    const consumer = new ShardConsumer(parts, claimOf(lease, workerId));
    const stop = new AbortController();
    const advancing = parts.advancer.run(stop.signal);
    const ended = consumer.run().finally(() => stop.abort());
    const kill = async (): Promise<void> => {
      gate.isDead = true;
      consumer.abort('stopped');
      stop.abort();
      await Promise.all([ended, advancing]);
    };
    const process = { workerId, gate, consumer, counts, ended, kill };
    this.processes.push(process);
    return process;
  }

  /** Keeps what Redis has now; `lose` puts it back, and breaks the connection. */
  snapshot(): { lose(): void } {
    const slots = structuredClone(this.state.slots);
    const deadLetters = [...this.deadLetters];
    return {
      lose: () => {
        this.state.slots.splice(0, slots.length, ...structuredClone(slots));
        this.deadLetters = [...deadLetters];
        this.state.connection += 1;
      },
    };
  }

  /** Adds what each slot holds now to its history. */
  keepSlots(histories: ReferenceSlot[][]): void {
    for (const [slot, held] of this.state.slots.entries()) {
      histories[slot] = [...(histories[slot] ?? []), structuredClone(held)];
    }
  }

  /** Each slot loses a suffix of its history, one of its own; what is lost never comes back. The connection breaks. */
  loseTails(histories: ReferenceSlot[][], pick: (length: number) => number): void {
    for (const [slot, history] of histories.entries()) {
      history.length = 1 + pick(history.length);
      this.state.slots[slot] = structuredClone(history.at(-1)!);
    }
    this.state.connection += 1;
  }

  get checkpoint(): Position {
    return checkpointPosition(this.lease.checkpoint);
  }

  rowPositions(): Position[] {
    return this.state.slots.map((slot) => slot.rows.get(KEY)?.position ?? checkpointPosition(this.lease.checkpoint));
  }

  /** What no fault may ever break. */
  async assertSafe(): Promise<void> {
    for (const row of this.rowPositions()) expect(row >= this.checkpoint, 'every row covers the checkpoint').toBe(true);
    const lost = this.shard.rejectedPositions().filter((p) => p <= this.checkpoint && !this.deadLetters.includes(p));
    expect(lost, 'dead letters below the checkpoint').toEqual([]);
    await this.assertCounted();
  }

  async assertExact(): Promise<void> {
    await this.assertCounts();
    await this.assertSafe();
  }

  async assertCounts(): Promise<void> {
    const totals = await this.ledger.totals();
    expect(Object.fromEntries(totals)).toEqual(this.shard.truth());
  }

  /** Everything of the log is counted, settled and checkpointed. */
  isDone(): boolean {
    return this.checkpoint >= this.shard.lastPosition();
  }

  endShard(children: readonly ChildShard[]): void {
    this.shard.end(children);
  }

  /** Nothing is counted twice, whatever is missing. */
  async assertCounted(): Promise<void> {
    const truth = this.shard.truth();
    for (const [name, count] of await this.ledger.totals()) {
      expect(count, name).toBeLessThanOrEqual(truth[name] ?? 0);
    }
  }

  #parts(ledger: Ledger, gate: Gate, counts: FlowCounts, overrides: Partial<WorkerParts>): WorkerParts {
    const { clock, spec, store, settleMs } = this;
    const leases: WorkerParts['leases'] = {
      create: (lease) => gate.pass(() => store.create(lease)),
      release: (owned, deliveredTo) => gate.pass(() => store.release(owned, deliveredTo)),
      prepare: (owned, position, version) => gate.pass(() => store.prepare(owned, position, version)),
      discard: (owned) => gate.pass(() => store.discard(owned)),
      lift: (owned, above) => gate.pass(() => store.lift(owned, above)),
      free: (owned) => gate.pass(() => store.free(owned)),
      checkpoint: (owned, checkpoint, version) => gate.pass(() => store.checkpoint(owned, checkpoint, version)),
      shardEnd: (owned, version) => gate.pass(() => store.shardEnd(owned, version)),
      bind: (owned, id, start) => gate.pass(() => store.bind(owned, id, start)),
      read: (key) => gate.pass(() => store.read(key)),
    };
    return {
      ...{ clock, spec, ledger, leases, counts, settleMs },
      logger: silentLogger,
      checkpointMs: CHECKPOINT_MS,
      advancer: new Advancer({ ledger, spec, settleMs, clock, logger: silentLogger, waiting: new Waiting(clock) }),
      stages: {
        decode: (records) => records as unknown as DecodedBatch,
        identify: (decoded) => identify(decoded as unknown as UserRecords, spec.slots),
      },
      openSource: (_, start) => this.shard.open(checkpointPosition(start)),
      deadLettersFor: () => this.#deadLetterSink(gate),
      signals: noSignals,
      book: new CheckpointBook(),
      ...overrides,
    };
  }

  #deadLetterSink(gate: Gate): DeadLetterSink {
    return {
      store: async (_, { batch, through }, signal) => {
        if (batch.rejected.length === 0) return { through, stored: undefined };
        const stored = gate.pass(async () => {
          this.deadLetters.push(...batch.rejected.map(({ index }) => positionAt(batch.records.positions, index)));
          return this.state.connection;
        });
        const connection = await untilAborted(stored, signal);
        return { through, stored: { connection, answeredAtMs: this.clock.monotonicMs() } };
      },
    };
  }
}

export function at(n: number): Position {
  return positionOf(String(n));
}
