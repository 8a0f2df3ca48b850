/**
 * Hints between the processes of a fleet: wake-ups ("look now") and presence ("this process lives"). Lossy,
 * unauthenticated, never trusted: a lost hint costs a tick, a forged one costs a read. Everything works without them.
 * The adapter is signal/redis; `noSignals` is what SIGNALS=off gives.
 */
import type { LeaseKey } from '../lease/lease.ts';

export type Hint =
  /** To a worker: its orders changed, heartbeat now. */
  | { readonly kind: 'orders-changed' }
  /** To the new owner and the controller: this lease's row changed hands (released, freed). */
  | { readonly kind: 'lease-released'; readonly leaseKey: LeaseKey }
  /** To whoever has a lease now or is to hand it over: its row says so, orders will. */
  | { readonly kind: 'lease-moved'; readonly leaseKey: LeaseKey }
  /** To the controller: this shard was read to its end. */
  | { readonly kind: 'shard-ended'; readonly leaseKey: LeaseKey }
  /** To the controller: a worker registered, began to drain, or left. */
  | { readonly kind: 'worker-changed'; readonly workerId: string };

/** A worker's side. Sending never fails and never waits. */
export interface WorkerSignals {
  /**
   * Subscribes to the worker's own channel (which is also its presence) until the signal aborts. Hears `orders-changed`
   * as soon as it can hear: what was said before is lost.
   */
  listen(workerId: string, onHint: (hint: Hint) => void, signal: AbortSignal): void;
  toWorker(workerId: string, hint: Hint): void;
  toController(hint: Hint): void;
  close(): Promise<void>;
}

/** The controller's side. */
export interface ControllerSignals {
  listen(onHint: (hint: Hint) => void, signal: AbortSignal): void;
  toWorker(workerId: string, hint: Hint): void;
  /** Subscribers per worker channel, and the connection they were counted on; undefined = presence says nothing now. */
  presence(workerIds: readonly string[]): Promise<PresenceAnswer | undefined>;
  close(): Promise<void>;
}

export interface PresenceAnswer {
  readonly connection: number;
  readonly present: ReadonlySet<string>;
}

/** SIGNALS=off: nothing is said and nothing is heard. */
export const noSignals: WorkerSignals & ControllerSignals = {
  listen: (): void => undefined,
  toWorker: (): void => undefined,
  toController: (): void => undefined,
  presence: (): Promise<undefined> => Promise.resolve(undefined),
  close: (): Promise<void> => Promise.resolve(),
};
