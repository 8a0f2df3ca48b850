/**
 * Starts and stops shard consumers as the orders say. Orders are hints: before each start and each stop the lease row
 * is read, and the row decides. Level-based: `#reconcile` compares orders with what runs, at every hint and each
 * second, so nothing hangs on a message. One shard's failure stops no other.
 */
import { isHealKey } from '../lease/heal-lease.ts';
import { isMine, type LeaseKey } from '../lease/lease.ts';
import { WorkerSession, type WorkerSessionListener, type WorkerSessionOptions } from '../lease/worker-session.ts';
import type { Order, Orders, WorkerLoad } from '../lease/worker-store.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { errorFields } from '../runtime/logger.ts';
import type { Hint, WorkerSignals } from '../signal/signals.ts';
import { LeaseDesks } from './lease-desks.ts';
import { Waiting } from './ledger/waiting.ts';
import { LoadMeter } from './load-meter.ts';
import type { ShardSight } from './metrics.ts';
import { claimLease } from './shard/claim-lease.ts';
import { ShardConsumer } from './shard/consumer.ts';
import { Nudge } from './shard/nudge.ts';
import { claimOf, type WorkerParts } from './shard/shard-parts.ts';
import type { LossReason } from './shard/stop-reason.ts';

export interface WorkerOptions {
  readonly parts: WorkerParts;
  readonly signals: WorkerSignals;
  readonly session: Pick<WorkerSessionOptions, 'store' | 'newId' | 'heartbeatMs' | 'leaseDurationMs'>;
  /** Where it runs and how much it should have, for the controller. */
  readonly place?: Pick<WorkerLoad, 'zone' | 'capacity'>;
}

const TICK_MS = 1_000;
/** A row that was not as the order said is looked at again after this long, or when orders or a hint come. */
const LOOK_AGAIN_MS = 5_000;
const RESTART_BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** A consumer that lived this long did not fail at the start. */
const STEADY_MS = 60_000;
/** A loop without a sign of progress for this long hangs. */
const STALLED_MS = 120_000;
const DRAIN_POLL_MS = 50;

export class Worker implements WorkerSessionListener {
  readonly #parts: WorkerParts;
  readonly #signals: WorkerSignals;
  readonly #session: WorkerSession;
  readonly #wake: Nudge;
  readonly #tableWaiting: Waiting;
  readonly #shards = new Map<LeaseKey, ShardConsumer>();
  readonly #running = new Set<Promise<void>>();
  readonly #desks: LeaseDesks;
  #orders: ReadonlyMap<LeaseKey, Order['verb']> | undefined;
  /** One registration: its end aborts every look under way. */
  #era = new AbortController();
  #isStopping: boolean = false;

  constructor({ parts, signals, session, place }: WorkerOptions) {
    this.#parts = parts;
    this.#signals = signals;
    this.#wake = new Nudge(parts.clock);
    this.#desks = new LeaseDesks(parts.clock);
    this.#tableWaiting = new Waiting(parts.clock);
    const { clock, logger } = parts;
    const meter = new LoadMeter();
    this.#session = new WorkerSession({
      ...session,
      clock,
      logger,
      listener: this,
      status: () => ({
        state: 'active',
        load: { ...meter.measure([...this.#shards.values()], clock.monotonicMs()), ...place },
      }),
    });
  }

  get id(): string | undefined {
    return this.#session.id();
  }

  get isWaitingForTable(): boolean {
    return this.#tableWaiting.isWaiting;
  }

  get shards(): readonly ShardSight[] {
    return [...this.#shards.values()].map((consumer) => ({
      shardId: consumer.claim.shardId,
      state: consumer.state,
      lagMs: consumer.progress.lagMs,
      condition: consumer.condition,
      isWaitingForRedis: consumer.progress.isWaitingForRedis,
      isWaitingForTable: consumer.progress.isWaitingForTable,
      isWaitingForDeadLetters: consumer.progress.isWaitingForDeadLetters,
      throttledReads: consumer.throttledReads,
      isHealing: consumer.isHealing,
    }));
  }

  /** Shards whose loop hangs. */
  get stalled(): readonly string[] {
    const sinceMs = this.#parts.clock.monotonicMs() - STALLED_MS;
    const hanging = [...this.#shards.values()].filter((consumer) => consumer.progress.lastSignMs < sinceMs);
    return hanging.map((consumer) => consumer.claim.shardId);
  }

  /** Runs until the signal aborts; then everything that still runs is aborted. Call `drain` before for a clean end. */
  async run(signal: AbortSignal): Promise<void> {
    // One part that fails ends the others: a worker that does half of its work would look well, and hang.
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const session = this.#session.run(either);
    const advancing = this.#parts.advancer.run(either);
    try {
      await Promise.race([session, this.#reconcileUntil(either)]);
    } finally {
      ended.abort(new Error('stopped'));
      this.#endEra('stopped');
      await Promise.all([...this.#running, advancing]);
    }
    await session;
  }

  /**
   * Hands over every lease within `shutdownMs`; those that nobody took in half of it, or once `alone` aborts, are
   * freed. True when none was left behind.
   */
  async drain(shutdownMs: number, alone?: AbortSignal): Promise<boolean> {
    const { clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    this.#isStopping = true;
    this.#session.drain();
    while (this.#shards.size > 0 && clock.monotonicMs() - startedMs < shutdownMs) {
      const isAlone = alone?.aborted || clock.monotonicMs() - startedMs >= shutdownMs / 2;
      for (const consumer of this.#shards.values()) {
        // Nobody plans a handoff of a heal lease.
        if (isAlone || isHealKey(consumer.claim.key)) consumer.leave('shutdown');
      }
      await clock.sleep(DRAIN_POLL_MS);
    }
    return this.#shards.size === 0;
  }

  onRegistered(id: string): void {
    this.#era = new AbortController();
    this.#orders = undefined;
    this.#parts.logger.info('registered', { worker: id });
    this.#signals.listen(id, (hint) => this.#hear(hint), this.#era.signal);
    this.#signals.toController({ kind: 'worker-changed', workerId: id });
  }

  /** Not before it is written: whoever looked at once would find the state of before, and look no more for a while. */
  onDrainWritten(id: string): void {
    this.#signals.toController({ kind: 'worker-changed', workerId: id });
  }

  onOrders({ orders }: Orders): void {
    this.#orders = new Map(orders.map(({ leaseKey, verb }) => [leaseKey, verb]));
    this.#desks.expectNews();
    this.#wake.give();
  }

  onSelfFenced(): void {
    this.#orders = undefined;
    this.#abortAll('self_fenced');
  }

  onGone(): void {
    this.#endEra('deregistered');
  }

  #hear(hint: Hint): void {
    if (hint.kind === 'orders-changed') this.#session.nudge();
    if (hint.kind !== 'lease-released' && hint.kind !== 'lease-moved') return;
    const { leaseKey } = hint;
    this.#desks.expectNews(leaseKey);
    this.#desks.nudge(leaseKey);
    if (hint.kind === 'lease-moved') this.#lookAhead(leaseKey);
    this.#wake.give();
  }

  /** The orders that say so are on their way, and the row says it already. */
  #lookAhead(key: LeaseKey): void {
    const consumer = this.#shards.get(key);
    if (!consumer) this.#look(key, () => this.#claim(key, this.#isStopping ? 'drain' : 'hold'));
    else if (consumer.state !== 'Draining') this.#look(key, () => this.#checkRow(consumer));
  }

  async #reconcileUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = this.#wake.wait(TICK_MS, signal);
      this.#reconcile();
      await woken;
    }
  }

  #reconcile(): void {
    const orders = this.#orders;
    if (!orders || this.#era.signal.aborted) return;
    for (const [key, verb] of orders) {
      if (!this.#shards.has(key) && (verb === 'drain' || !this.#isStopping)) {
        this.#look(key, () => this.#claim(key, verb));
      }
    }
    for (const [key, consumer] of this.#shards) {
      // One that leaves learns from its own last writes; a row read beside them may show them before their answer.
      if (orders.get(key) === 'hold' || consumer.state === 'Draining') continue;
      this.#look(key, () => this.#checkRow(consumer));
    }
    this.#desks.forget((key) => orders.has(key) || this.#shards.has(key));
  }

  #look(key: LeaseKey, act: () => Promise<void>): void {
    const desk = this.#desks.of(key);
    if (desk.isBusy || this.#parts.clock.monotonicMs() < desk.notBeforeMs) return;
    desk.isBusy = true;
    const { signal } = this.#era;
    const news = desk.nudge.next();
    const [orders, running] = [this.#orders, this.#shards.get(key)];
    this.#track(
      act()
        .catch((error: unknown) => {
          desk.notBeforeMs = this.#parts.clock.monotonicMs() + LOOK_AGAIN_MS;
          if (!signal.aborted) this.#parts.logger.error('lease row', { leaseKey: key, ...errorFields(error) });
        })
        .finally(() => {
          desk.isBusy = false;
          // What came while it was looked at may be newer than what was seen.
          if (signal.aborted || (!news.aborted && this.#orders === orders)) return;
          this.#desks.expectNews(key);
          if (running && news.aborted) this.#lookAhead(key);
          this.#wake.give();
        }),
    );
  }

  async #claim(key: LeaseKey, verb: Order['verb']): Promise<void> {
    const { signal } = this.#era;
    const workerId = this.id;
    if (workerId === undefined || !this.#session.isTrusted()) return;
    const { leases, signals, clock } = this.#parts;
    const desk = this.#desks.of(key);
    const onHandoff = (): void => this.#parts.logger.info('waiting for the old owner', { leaseKey: key });
    const claim = await claimLease(
      { leases, waiting: this.#tableWaiting, nudge: desk.nudge, workerId, onHandoff },
      key,
      verb === 'hold' && !this.#isStopping,
      signal,
    );
    if (claim.kind === 'notMine') desk.notBeforeMs = clock.monotonicMs() + LOOK_AGAIN_MS;
    if (claim.kind === 'released') {
      const hint = { kind: 'lease-released', leaseKey: key } as const;
      if (claim.lease.owner !== undefined) signals.toWorker(claim.lease.owner, hint);
      signals.toController(hint);
    }
    if (claim.kind !== 'mine' || signal.aborted || this.#isStopping || !this.#session.isTrusted()) return;
    this.#start(new ShardConsumer(this.#parts, claimOf(claim.lease, workerId)));
  }

  /** Told to drain, or not in the orders any more: only the row can say that a handoff began, or that it is not ours. */
  async #checkRow(consumer: ShardConsumer): Promise<void> {
    const { key, owned } = consumer.claim;
    const lease = await this.#tableWaiting.patiently(this.#era.signal, () => this.#parts.leases.read(key));
    if (lease?.generation !== owned.generation || !isMine(lease, owned.workerId)) consumer.abort('reassigned');
    else if (lease.checkpointOwner === owned.workerId) consumer.leave('handoff');
    else this.#desks.of(key).notBeforeMs = this.#parts.clock.monotonicMs() + LOOK_AGAIN_MS;
  }

  #start(consumer: ShardConsumer): void {
    const { key } = consumer.claim;
    const { clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    this.#shards.set(key, consumer);
    this.#track(
      consumer.run().then((end) => {
        this.#shards.delete(key);
        const desk = this.#desks.of(key);
        const nowMs = clock.monotonicMs();
        desk.failures = end === 'Released' || nowMs - startedMs >= STEADY_MS ? 0 : desk.failures + 1;
        desk.notBeforeMs = desk.failures === 0 ? 0 : nowMs + backoffMs(RESTART_BACKOFF, desk.failures);
        this.#wake.give();
      }),
    );
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  #abortAll(reason: LossReason): void {
    for (const consumer of this.#shards.values()) consumer.abort(reason);
  }

  #endEra(reason: LossReason): void {
    this.#orders = undefined;
    this.#era.abort();
    this.#abortAll(reason);
  }
}
