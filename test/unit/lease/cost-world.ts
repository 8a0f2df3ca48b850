/**
 * A whole fleet over a DynamoDB that bills: the production controller and workers with their consumers, checkpointers
 * and heartbeats, over the production stores. Only the shards' records, Redis and time are made.
 */
import { Registry } from 'prom-client';
import { noCluster } from '../../../controller/cluster.ts';
import { readControllerSettings } from '../../../controller/config.ts';
import { Controller } from '../../../controller/controller.ts';
import { ControllerMetrics } from '../../../controller/metrics.ts';
import { DynamoDbFleetStore } from '../../../lease/dynamodb/dynamodb-fleet-store.ts';
import { DynamoDbLeaseStore } from '../../../lease/dynamodb/dynamodb-lease-store.ts';
import { DynamoDbWorkerStore } from '../../../lease/dynamodb/dynamodb-worker-store.ts';
import { FleetTable } from '../../../lease/dynamodb/fleet-table.ts';
import { RowLeadership } from '../../../lease/leadership.ts';
import { createWorkerIds } from '../../../lease/worker-id.ts';
import { createReferenceLedger, emptyReferenceState } from '../../../ledger/reference.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { CheckpointBook } from '../../../worker/checkpoint/checkpoint-book.ts';
import { Advancer } from '../../../worker/ledger/advancer.ts';
import { Waiting } from '../../../worker/ledger/waiting.ts';
import type { DecodedBatch } from '../../../worker/pipeline/decoded-batch.ts';
import type { UserRecords } from '../../../worker/pipeline/user-records.ts';
import { FlowCounts } from '../../../worker/shard/flow-counts.ts';
import type { OpenSource } from '../../../worker/source/shard-source.ts';
import { Worker } from '../../../worker/worker.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeSignalBus } from '../../support/fake-signals.ts';
import { rawBatchOf } from '../../support/fake-source.ts';
import { ledgerSpec } from '../../support/ledger-builder.ts';
import { type Bill, MeteredDynamoDb } from '../../support/metered-dynamodb.ts';
import { FakeStream, listedShard } from '../controller/controller-world.ts';
import { identify } from '../worker/ledger/identified.ts';

export interface CostScene {
  readonly shards: number;
  readonly workers: number;
}

/** Idle shards answer nothing for so long: how often they are polled costs Kinesis, not the table. */
const IDLE_ANSWER_MS = 30_000;

export class CostWorld {
  readonly clock = new FakeClock();
  readonly dynamoDb = new MeteredDynamoDb();
  /** Each shard gives a record this often; undefined = none has any. */
  recordEveryMs: number | undefined;
  readonly #ledgerState = emptyReferenceState(1);
  readonly #bus = new FakeSignalBus();
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>[] = [];
  readonly #scene: CostScene;
  #records = 0;

  constructor(scene: CostScene) {
    this.#scene = scene;
    this.#startController();
    for (let i = 0; i < scene.workers; i++) this.#startWorker(i);
  }

  /** What a stretch of time costs, per second. */
  async perSecond(seconds: number, match?: RegExp): Promise<Bill> {
    this.dynamoDb.bills.clear();
    await this.clock.advance(seconds * 1_000);
    const { calls, writeUnits, readUnits } = this.dynamoDb.total(match);
    return { calls: calls / seconds, writeUnits: writeUnits / seconds, readUnits: readUnits / seconds };
  }

  /** Leases by owner. */
  held(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { leaseOwner } of this.dynamoDb.items.values()) {
      if (leaseOwner?.S) counts.set(leaseOwner.S, (counts.get(leaseOwner.S) ?? 0) + 1);
    }
    return counts;
  }

  async end(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await this.clock.runUntil(Promise.allSettled(this.#running));
  }

  #table(): FleetTable {
    return new FleetTable({ client: this.dynamoDb.client, tableName: 'fleet', clock: this.clock });
  }

  #startController(): void {
    const { clock } = this;
    const table = this.#table();
    const fleet = new DynamoDbFleetStore(table);
    const settings = readControllerSettings({ STREAM: 'logins', INITIAL_POSITION: 'TRIM_HORIZON' });
    const source = new FakeStream();
    source.shards = Array.from({ length: this.#scene.shards }, (_, i) =>
      listedShard(`shardId-${String(i).padStart(12, '0')}`),
    );
    const metrics: ControllerMetrics = new ControllerMetrics(new Registry(), () => controller.state());
    const controller = new Controller({
      ...{ settings, clock, logger: silentLogger, source, metrics, fleet, cluster: noCluster },
      leases: new DynamoDbLeaseStore(table),
      workers: new DynamoDbWorkerStore(table),
      leadership: new RowLeadership({
        ...{ store: fleet, clock, logger: silentLogger, holder: 'controller' },
        leaseDurationMs: settings.leaderLeaseMs,
        renewDeadlineMs: settings.leaderRenewDeadlineMs,
        retryMs: settings.leaderRetryMs,
      }),
      signals: this.#bus.controller(),
      ledger: { totals: () => Promise.resolve(new Map()) },
    });
    this.#running.push(controller.run(this.#stop.signal));
  }

  #startWorker(index: number): void {
    const { clock } = this;
    const table = this.#table();
    const spec = ledgerSpec();
    const ledger = createReferenceLedger(spec, this.#ledgerState);
    const signals = this.#bus.worker();
    const logger = silentLogger;
    const waiting = new Waiting(clock);
    const pod = `kinesis-fleet-worker-5d9c7b6f4-${String(index).padStart(5, 'x')}`;
    const worker = new Worker({
      signals,
      place: { zone: `eu-central-1${'abc'[index % 3]}`, capacity: 100 },
      session: {
        store: new DynamoDbWorkerStore(table),
        newId: createWorkerIds(pod, '0b1c9d52-6f0e-4c53-9a58-7e9b1c2d3e4f'),
        heartbeatMs: 1_000,
        leaseDurationMs: 10_000,
      },
      parts: {
        ...{ clock, logger, spec, ledger, signals, settleMs: 2_000, checkpointMs: 5_000, counts: new FlowCounts() },
        leases: new DynamoDbLeaseStore(table),
        advancer: new Advancer({ ledger, spec, clock, logger, settleMs: 2_000, waiting }),
        stages: {
          decode: (records) => records as unknown as DecodedBatch,
          identify: (decoded) => identify(decoded as unknown as UserRecords, 1),
        },
        openSource: this.#openSource(),
        deadLettersFor: () => ({ store: async (_, { through }) => ({ through, stored: undefined }) }),
        book: new CheckpointBook(),
      },
    });
    this.#running.push(worker.run(this.#stop.signal));
  }

  /** Records of 500 B whose sequence numbers grow over the whole fleet. */
  #openSource(): OpenSource {
    const { clock } = this;
    return () => {
      const status = { reads: 0, throttled: 0, failures: 0, lastError: undefined, condition: undefined };
      return {
        next: async (signal) => {
          const everyMs = this.recordEveryMs;
          await clock.sleep(everyMs ?? IDLE_ANSWER_MS, signal);
          if (signal.aborted) return undefined;
          const record = {
            sequenceNumber: String(++this.#records),
            payload: String(this.#records).padEnd(500, ' '),
          };
          return rawBatchOf(everyMs === undefined ? [] : [record], { answeredAtMs: clock.wallMs() });
        },
        release: () => undefined,
        status: () => ({ ...status, degradedSinceMs: undefined, trimmed: 0, recordsAhead: 0 }),
        close: () => undefined,
      };
    };
  }
}
