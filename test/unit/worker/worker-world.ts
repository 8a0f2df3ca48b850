/** A worker among fakes: lease rows, worker rows and orders as a controller would write them, and a turned clock. */

import type { Lease, LeaseKey } from '../../../lease/lease.ts';
import type { Order } from '../../../lease/worker-store.ts';
import { createReferenceLedger, emptyReferenceState } from '../../../ledger/reference.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import type { Hint, WorkerSignals } from '../../../signal/signals.ts';
import { CheckpointBook } from '../../../worker/checkpoint/checkpoint-book.ts';
import { Advancer } from '../../../worker/ledger/advancer.ts';
import { untilAborted, Waiting } from '../../../worker/ledger/waiting.ts';
import type { DecodedBatch } from '../../../worker/pipeline/decoded-batch.ts';
import type { UserRecords } from '../../../worker/pipeline/user-records.ts';
import { FlowCounts } from '../../../worker/shard/flow-counts.ts';
import { Worker } from '../../../worker/worker.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { createFakeSources } from '../../support/fake-source.ts';
import { FakeWorkerStore } from '../../support/fake-worker-store.ts';
import { buildLease, testLeaseKey } from '../../support/lease-builder.ts';
import { ledgerSpec } from '../../support/ledger-builder.ts';
import { identify } from './ledger/identified.ts';

export const HEARTBEAT_MS = 1_000;
export const LEASE_DURATION_MS = 10_000;

export class WorkerWorld {
  readonly clock = new FakeClock();
  readonly leases = new FakeLeaseStore();
  readonly workers = new FakeWorkerStore();
  readonly sources = createFakeSources(this.clock);
  readonly counts = new FlowCounts();
  readonly sent: { readonly to: string; readonly hint: Hint }[] = [];
  readonly signals: WorkerSignals;
  readonly worker: Worker;
  /** What a hint from outside does. */
  hear: (hint: Hint) => void = () => undefined;
  readonly #stop = new AbortController();
  #ids = 0;
  #hangs: boolean = false;
  #ordersVersion = 0;
  #running: Promise<void> | undefined;

  constructor() {
    const { clock, counts } = this;
    const spec = ledgerSpec();
    const ledger = createReferenceLedger(spec, emptyReferenceState(1));
    const signals = {
      listen: (_: string, onHint: (hint: Hint) => void) => {
        this.hear = onHint;
      },
      toWorker: (to: string, hint: Hint) => this.sent.push({ to, hint }),
      toController: (hint: Hint) => this.sent.push({ to: 'controller', hint }),
      close: () => Promise.resolve(),
    };
    this.signals = signals;
    this.worker = new Worker({
      signals,
      session: {
        store: this.workers,
        newId: () => `worker-${++this.#ids}`,
        heartbeatMs: HEARTBEAT_MS,
        leaseDurationMs: LEASE_DURATION_MS,
      },
      parts: {
        ...{ clock, spec, ledger, counts, signals, leases: this.leases, logger: silentLogger },
        settleMs: 2_000,
        checkpointMs: 5_000,
        advancer: new Advancer({
          ...{ ledger, spec, clock, logger: silentLogger, settleMs: 2_000 },
          waiting: new Waiting(clock),
        }),
        stages: {
          decode: (records) => records as unknown as DecodedBatch,
          identify: (decoded) => identify(decoded as unknown as UserRecords, 1),
        },
        openSource: this.sources.open,
        deadLettersFor: () => ({
          store: async (_, { through, batch }, signal) => {
            if (batch.records.count > 0 && this.#hangs) await untilAborted(new Promise(() => undefined), signal);
            return { through, stored: undefined };
          },
        }),
        book: new CheckpointBook(),
      },
    });
  }

  /** From now on no batch with records gets done, and nothing is tried again. */
  hang(): void {
    this.#hangs = true;
  }

  /** Registered, and its first heartbeat answered. */
  async start(): Promise<void> {
    this.#running = this.worker.run(this.#stop.signal);
    await this.clock.advance(100);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await this.clock.runUntil(this.#running!);
  }

  key(shard: number): LeaseKey {
    return testLeaseKey(`shardId-00000000000${shard}`);
  }

  putLease(shard: number, lease: Partial<Lease>): LeaseKey {
    const key = this.key(shard);
    this.leases.put(buildLease({ key, shardId: `shardId-00000000000${shard}`, generation: 1, ...lease }));
    return key;
  }

  lease(shard: number): Lease {
    return this.leases.peek(this.key(shard))!;
  }

  /** Writes orders and lets a hint bring them. */
  async order(orders: readonly Order[]): Promise<void> {
    this.#ordersVersion += 1;
    await this.workers.writeOrders(this.worker.id!, { version: this.#ordersVersion, orders });
    this.hear({ kind: 'orders-changed' });
    await this.clock.advance(100);
  }

  states(): Record<string, string> {
    return Object.fromEntries(this.worker.shards.map(({ shardId, state }) => [shardId.slice(-1), state]));
  }
}
