/**
 * Shard consumers, two workers of them, over shards in memory and a ledger in a real Redis: everything between a record
 * and its count is the product's own code, on the real clock. Heal leases are given out here as the controller does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { auditRows } from '../../../controller/ledger-job/audit.ts';
import { healKeyOf } from '../../../lease/heal-lease.ts';
import type { Lease } from '../../../lease/lease.ts';
import { checkpointPosition, END, sequenceNumberOf } from '../../../lease/position.ts';
import type { Ledger, LedgerReader, LedgerSpec } from '../../../ledger/ledger.ts';
import { createLedgerConnection, type LedgerConnection } from '../../../ledger/redis/connection.ts';
import { createRedisLedger } from '../../../ledger/redis/redis-ledger.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { noSignals } from '../../../signal/signals.ts';
import { CheckpointBook } from '../../../worker/checkpoint/checkpoint-book.ts';
import { Advancer } from '../../../worker/ledger/advancer.ts';
import { Waiting } from '../../../worker/ledger/waiting.ts';
import type { DecodedBatch } from '../../../worker/pipeline/decoded-batch.ts';
import type { UserRecords } from '../../../worker/pipeline/user-records.ts';
import { ShardConsumer } from '../../../worker/shard/consumer.ts';
import { FlowCounts } from '../../../worker/shard/flow-counts.ts';
import { claimOf, type WorkerParts } from '../../../worker/shard/shard-parts.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { buildLease } from '../../support/lease-builder.ts';
import { ledgerSpec } from '../../support/ledger-builder.ts';
import { identify } from '../../unit/worker/ledger/identified.ts';
import type { DrilledShards } from './drilled-shards.ts';

export const SETTLE_MS = 250;
const CHECKPOINT_MS = 100;
const LOOK_MS = 20;

interface DrilledWorker {
  readonly connection: LedgerConnection;
  readonly ledger: Ledger & LedgerReader;
  readonly parts: WorkerParts;
  readonly advancing: Promise<void>;
}

export class DrilledFleet {
  readonly spec: LedgerSpec;
  readonly rows = new Map<string, Lease>();
  readonly store = new FakeLeaseStore(this.rows);
  readonly counts = new FlowCounts();
  readonly #shards: DrilledShards;
  readonly #stop = new AbortController();
  readonly #workers: DrilledWorker[];
  readonly #consumers = new Map<string, ShardConsumer>();
  readonly #ended: Promise<unknown>[] = [];

  constructor(url: string, shards: DrilledShards, slots = 2) {
    this.#shards = shards;
    this.spec = ledgerSpec({ name: 'drill.0123456789ab', slots, periodMs: 3_600_000, horizonMs: 1_800_000 });
    this.#workers = [0, 1].map(() => this.#worker(url));
    for (const [i, { key, shardId }] of shards.all.entries()) {
      this.store.put(buildLease({ key, shardId, owner: `worker-${i % 2}`, generation: 1 }));
    }
  }

  get ledger(): Ledger & LedgerReader {
    return this.#workers[0]!.ledger;
  }

  get conditions(): string[] {
    return [...this.#consumers.values()].flatMap(({ condition }) => condition ?? []);
  }

  get isHealing(): boolean {
    return [...this.#consumers.values()].some((consumer) => consumer.isHealing);
  }

  async start(): Promise<void> {
    await Promise.all(this.#workers.map(({ connection }) => connection.ready()));
    for (const { key } of this.#shards.all) this.#consume(key);
    this.#ended.push(this.#healFinished());
  }

  /** Is every record checkpointed, and every row where its checkpoint is or beyond? */
  async isDone(): Promise<boolean> {
    const open = this.#shards.all.filter(({ key, log }) => this.#checkpointOf(key) < log.lastPosition());
    return open.length === 0 && (await this.behind()) === 0;
  }

  /** Shards with a row that is behind its checkpoint. */
  async behind(): Promise<number> {
    return auditRows(this.spec.name, [...this.rows.values()], await this.#slots()).behind.length;
  }

  /** Records in the ledger, every slot counted by itself: what a loss is measured by. */
  async committed(): Promise<number> {
    let sum = 0;
    for (const rows of await this.#slots()) {
      for (const [key, { position }] of rows) {
        const last = this.#shards.all.find((shard) => shard.key === key)!.log.lastPosition();
        sum += Number(sequenceNumberOf(position === END ? last : position));
      }
    }
    return sum;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const consumer of this.#consumers.values()) consumer.abort('stopped');
    await Promise.all([...this.#ended, ...this.#workers.map(({ advancing }) => advancing)]);
    for (const { connection } of this.#workers) connection.close();
  }

  #checkpointOf(key: string) {
    return checkpointPosition(this.rows.get(key)!.checkpoint);
  }

  #slots() {
    return Promise.all(Array.from({ length: this.spec.slots }, (_, slot) => this.ledger.rows(slot)));
  }

  #consume(key: string): void {
    const lease = this.rows.get(key)!;
    const worker = this.#workers[Number(lease.owner!.at(-1))]!;
    const consumer = new ShardConsumer(worker.parts, claimOf(lease, lease.owner!));
    this.#consumers.set(key, consumer);
    this.#ended.push(consumer.run());
  }

  /** As the ledger job and its heal leases do. */
  async #healFinished(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await clock.sleep(SETTLE_MS, this.#stop.signal);
      const slots = await this.#slots().catch(() => undefined);
      const found = slots && auditRows(this.spec.name, [...this.rows.values()], slots);
      for (const key of found?.finishedBehind ?? []) {
        const heal = this.rows.get(healKeyOf(key));
        if (heal && heal.checkpoint.kind !== 'SHARD_END') continue;
        const generation = (heal?.generation ?? 0) + 1;
        const { shardId } = this.rows.get(key)!;
        this.store.put(buildLease({ key: healKeyOf(key), shardId, owner: 'worker-0', generation }));
        this.#consume(healKeyOf(key));
      }
    }
  }

  #worker(url: string): DrilledWorker {
    const connection = createLedgerConnection({ url, deadlineMs: 2_000 });
    const ledger = createRedisLedger(this.spec, connection);
    const { spec, store, counts } = this;
    const advancer = new Advancer({
      ...{ ledger, spec, settleMs: SETTLE_MS, clock, logger: silentLogger, waiting: new Waiting(clock) },
    });
    const parts: WorkerParts = {
      ...{
        clock,
        spec,
        ledger,
        counts,
        advancer,
        settleMs: SETTLE_MS,
        checkpointMs: CHECKPOINT_MS,
        ownRangeOnly: false,
      },
      ...{ logger: silentLogger, leases: store, signals: noSignals, book: new CheckpointBook() },
      stages: {
        decode: (records) => records as unknown as DecodedBatch,
        identify: (decoded) => identify(decoded as unknown as UserRecords, spec.slots),
      },
      openSource: (shardId, start) =>
        this.#shards.all.find((shard) => shard.shardId === shardId)!.log.open(checkpointPosition(start)),
      // Beside Redis: what a drill does to it must not be mended by what is kept elsewhere.
      deadLettersFor: () => ({ store: async (_, { through }) => ({ through, stored: undefined }) }),
    };
    return { connection, ledger, parts, advancing: advancer.run(this.#stop.signal) };
  }
}

/** Looks until it is so. @throws Error with what was waited for. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const endMs = clock.monotonicMs() + withinMs;
  for (;;) {
    if (await Promise.resolve(isSo()).catch(() => false)) return;
    if (clock.monotonicMs() > endMs) throw new Error(`in vain waited ${withinMs} ms for ${what}`);
    await sleep(LOOK_MS);
  }
}
