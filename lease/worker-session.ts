/**
 * A worker's side of the worker rows: registers, sends heartbeats, brings its orders, and says when its leases may be
 * trusted no longer. One heartbeat is in flight at a time. It decides nothing about shards: worker.ts does, and reads
 * the lease rows, for orders are hints. Neighbours: worker-store.ts (port), lease-trust.ts (self-fencing).
 */
import { backoffMs, type Random } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Logger } from '../runtime/logger.ts';
import { LeaseTrust } from './lease-trust.ts';
import type { HeartbeatAnswer, Orders, WorkerLoad, WorkerState, WorkerStore } from './worker-store.ts';

/** What the session tells. None may throw or wait: they start and abort things. */
export interface WorkerSessionListener {
  /** Registered under this id; consumers may start as orders come. */
  onRegistered(id: string): void;
  /** The row says that the worker drains: whoever reads it now finds it. Once per registration. */
  onDrainWritten(id: string): void;
  /** The orders as they are now: the whole list, also when they were read again without a change. */
  onOrders(orders: Orders): void;
  /** No answered heartbeat for the lease duration: abort all consumers at once. The session goes on trying. */
  onSelfFenced(id: string): void;
  /** The worker row is gone: abort all consumers. The session registers under a new id. */
  onGone(id: string): void;
}

export interface WorkerSessionOptions {
  readonly store: Pick<WorkerStore, 'register' | 'heartbeat' | 'readOrders'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener: WorkerSessionListener;
  /** A new id at each call. */
  readonly newId: () => string;
  /** Asked at each heartbeat; after `drain` its state counts no more. */
  readonly status: () => { readonly state: WorkerState; readonly load: WorkerLoad };
  readonly heartbeatMs: number;
  readonly leaseDurationMs: number;
  /** Least time between two heartbeats, however often nudged. */
  readonly nudgeSpacingMs?: number;
  /** Orders are read again this often even when their version did not change. */
  readonly ordersRefreshMs?: number;
  readonly random?: Random;
}

interface Registration {
  readonly id: string;
  saysDraining: boolean;
  beats: number;
  /** Version that a heartbeat returned before the orders were last read; undefined = not read yet. */
  ordersVersion: number | undefined;
  ordersReadMs: number;
}

const NUDGE_SPACING_MS = 50;
const ORDERS_REFRESH_MS = 30_000;

export class WorkerSession {
  readonly #options: WorkerSessionOptions;
  readonly #trust: LeaseTrust;
  #registration: Registration | undefined;
  /** Kept over lost answers, so that a registration is repeated and not left behind. */
  #candidateId: string | undefined;
  #draining: boolean = false;
  #failures = 0;
  #nudged: boolean = false;
  #interrupt: () => void = () => undefined;

  constructor(options: WorkerSessionOptions) {
    this.#options = options;
    this.#trust = new LeaseTrust(options.clock, options.leaseDurationMs);
  }

  /** The id under which this worker is registered now. */
  id(): string | undefined {
    return this.#registration?.id;
  }

  /** May effects still rest on the leases of this worker? Looks at the clock at each call. */
  isTrusted(): boolean {
    return this.#trust.isTrusted();
  }

  /** Asks for a heartbeat now: a wake-up came. */
  nudge(): void {
    this.#nudged = true;
    this.#interrupt();
  }

  /** From now on the heartbeats say draining, the first of them at once. */
  drain(): void {
    this.#draining = true;
    this.nudge();
  }

  /** Runs until the signal aborts. Fails only when a listener does. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const watching = this.#trust.watch(either, () => this.#fence()).finally(() => ended.abort());
    const beating = this.#beatUntil(either).finally(() => ended.abort());
    await Promise.all([beating, watching]);
  }

  async #beatUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = this.#options.clock.monotonicMs();
      this.#nudged = false;
      const waitMs = await this.#attempt(startedMs);
      await this.#pause(startedMs, waitMs, signal);
    }
  }

  /** Milliseconds from the start of this attempt to the start of the next. */
  async #attempt(startedMs: number): Promise<number> {
    const { heartbeatMs, logger, random } = this.#options;
    try {
      const isRegistered = this.#registration !== undefined;
      await (this.#registration ? this.#heartbeat(this.#registration, startedMs) : this.#register());
      if (this.#failures > 0) logger.info('heartbeat answered again', { worker: this.id(), failures: this.#failures });
      this.#failures = 0;
      // A new registration beats as soon as it may, a lost one registers.
      return isRegistered && this.#registration ? heartbeatMs : 0;
    } catch (error) {
      if (error instanceof ListenerFailed) throw error.cause;
      this.#failures++;
      if (this.#failures === 1) logger.warn('heartbeat failed', { worker: this.id(), ...errorFields(error) });
      return backoffMs({ baseMs: Math.min(100, heartbeatMs), maxMs: heartbeatMs }, this.#failures, random);
    }
  }

  async #register(): Promise<void> {
    this.#candidateId ??= this.#options.newId();
    const id = this.#candidateId;
    const registered = await this.#options.store.register(id);
    this.#candidateId = undefined;
    if (!registered) return;
    this.#registration = { id, saysDraining: false, beats: 0, ordersVersion: undefined, ordersReadMs: 0 };
    this.#tell((listener) => listener.onRegistered(id));
  }

  async #heartbeat(registration: Registration, startedMs: number): Promise<void> {
    const { state, load } = this.#options.status();
    const isDraining = this.#draining;
    const answer = await this.#options.store.heartbeat(registration.id, isDraining ? 'draining' : state, load);
    if (answer === 'gone') return this.#leave(registration.id);
    if (answer.beats <= registration.beats) return;
    registration.beats = answer.beats;
    this.#trust.renew(startedMs);
    if (isDraining && !registration.saysDraining) this.#tell((listener) => listener.onDrainWritten(registration.id));
    registration.saysDraining = isDraining;
    await this.#bringOrders(registration, answer);
  }

  /** Marks the version as read only after the read, and the answer's, not the orders' own: those may be ahead of it. */
  async #bringOrders(registration: Registration, answer: Exclude<HeartbeatAnswer, 'gone'>): Promise<void> {
    const { clock, store } = this.#options;
    const isDue =
      clock.monotonicMs() - registration.ordersReadMs >= (this.#options.ordersRefreshMs ?? ORDERS_REFRESH_MS);
    if (registration.ordersVersion === answer.ordersVersion && !isDue) return;
    const readMs = clock.monotonicMs();
    const orders = await store.readOrders(registration.id);
    // An answer that took too long starts nothing: the next heartbeat brings the orders.
    if (!this.isTrusted()) return;
    registration.ordersVersion = answer.ordersVersion;
    registration.ordersReadMs = readMs;
    if (orders) this.#tell((listener) => listener.onOrders(orders));
  }

  #leave(id: string): void {
    this.#registration = undefined;
    this.#trust.revoke();
    this.#options.logger.warn('worker row gone', { worker: id });
    this.#tell((listener) => listener.onGone(id));
  }

  #fence(): void {
    const registration = this.#registration;
    if (!registration) return;
    // The next answered heartbeat brings the orders again: what was aborted may start again where it still owns.
    registration.ordersVersion = undefined;
    this.#options.logger.error('no heartbeat answered for the lease duration', { worker: registration.id });
    this.#options.listener.onSelfFenced(registration.id);
  }

  #tell(what: (listener: WorkerSessionListener) => void): void {
    try {
      what(this.#options.listener);
    } catch (error) {
      throw new ListenerFailed(error);
    }
  }

  /** Until `waitMs` after the start of the last attempt, or sooner when nudged, but never closer than the spacing. */
  async #pause(startedMs: number, waitMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const leftMs = (fromStartMs: number): number => startedMs + fromStartMs - clock.monotonicMs();
    const interrupted = new AbortController();
    this.#interrupt = () => interrupted.abort();
    if (!this.#nudged) await clock.sleep(leftMs(waitMs), AbortSignal.any([signal, interrupted.signal]));
    this.#interrupt = () => undefined;
    const spacingMs = leftMs(this.#options.nudgeSpacingMs ?? NUDGE_SPACING_MS);
    // A timer of nothing still costs a millisecond of every handoff.
    if (spacingMs > 0) await clock.sleep(spacingMs, signal);
  }
}

/** Tells a listener's own failure (a bug, must surface) from the store's (heals, is retried). */
class ListenerFailed extends Error {
  constructor(cause: unknown) {
    super('a listener of the worker session failed', { cause });
    this.name = 'ListenerFailed';
  }
}
