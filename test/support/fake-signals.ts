/**
 * Hints in memory: a bus that all processes of a test share. Deliveries come later than the call, as over a network;
 * `lose` drops them, `dropConnections` is a Redis that restarted, `disconnect` a process that died.
 */
import type { ControllerSignals, Hint, PresenceAnswer, WorkerSignals } from '../../signal/signals.ts';

interface Listener {
  readonly channel: string;
  readonly onHint: (hint: Hint) => void;
}

const CONTROLLER = 'controller';

export class FakeSignalBus {
  /** Every hint sent, with the channel it was sent to. */
  readonly sent: { readonly channel: string; readonly hint: Hint }[] = [];
  /** true = this hint gets lost. */
  lose: (channel: string, hint: Hint) => boolean = () => false;
  isAway: boolean = false;
  #connection = 1;
  readonly #listeners = new Set<Listener>();

  /** Redis restarted: the subscriptions are gone until their owners listen again. */
  dropConnections(): void {
    this.#connection++;
    this.#listeners.clear();
  }

  /** This worker's process died, or lost its connection. */
  disconnect(workerId: string): void {
    for (const listener of this.#listeners) if (listener.channel === workerId) this.#listeners.delete(listener);
  }

  worker(): WorkerSignals {
    const closing = new AbortController();
    return {
      listen: (workerId, onHint, signal) => {
        this.#listen(workerId, onHint, AbortSignal.any([signal, closing.signal]));
        if (!this.isAway) queueMicrotask(() => onHint({ kind: 'orders-changed' }));
      },
      toWorker: (workerId, hint) => this.#send(workerId, hint),
      toController: (hint) => this.#send(CONTROLLER, hint),
      close: () => Promise.resolve(closing.abort()),
    };
  }

  controller(): ControllerSignals {
    const closing = new AbortController();
    return {
      listen: (onHint, signal) => this.#listen(CONTROLLER, onHint, AbortSignal.any([signal, closing.signal])),
      toWorker: (workerId, hint) => this.#send(workerId, hint),
      presence: (workerIds) => Promise.resolve(this.#presence(workerIds)),
      close: () => Promise.resolve(closing.abort()),
    };
  }

  #presence(workerIds: readonly string[]): PresenceAnswer | undefined {
    if (this.isAway) return undefined;
    const channels = new Set([...this.#listeners].map((listener) => listener.channel));
    return { connection: this.#connection, present: new Set(workerIds.filter((id) => channels.has(id))) };
  }

  #listen(channel: string, onHint: (hint: Hint) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    const listener = { channel, onHint };
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  #send(channel: string, hint: Hint): void {
    this.sent.push({ channel, hint });
    if (this.isAway || this.lose(channel, hint)) return;
    queueMicrotask(() => {
      for (const listener of this.#listeners) if (listener.channel === channel) listener.onHint(hint);
    });
  }
}
