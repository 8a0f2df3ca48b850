/**
 * Wake-ups and presence over Redis's pub/sub: hints come a little later, or not at all; a subscription goes with its
 * process at once, and all of them with a failover, until the clients have subscribed again.
 */
import type { ControllerSignals, Hint, PresenceAnswer, WorkerSignals } from '../../signal/signals.ts';
import type { Network } from './faults.ts';
import type { Schedule } from './schedule.ts';
import type { SimProcess } from './sim-process.ts';
import type { Trace } from './trace.ts';

interface Subscription {
  readonly channel: string;
  readonly process: SimProcess;
  readonly onHint: (hint: Hint) => void;
  isThere: boolean;
}

const CONTROLLERS = 'controllers';
const RESUBSCRIBED_WITHIN_MS = 400;

export class SimHints {
  readonly #schedule: Schedule;
  readonly #network: Network;
  readonly #trace: Trace;
  readonly #subscriptions = new Set<Subscription>();
  #connection = 1;

  constructor(schedule: Schedule, network: Network, trace: Trace) {
    this.#schedule = schedule;
    this.#network = network;
    this.#trace = trace;
  }

  /** Every connection goes; clients come back one by one. */
  dropConnections(): void {
    this.#connection += 1;
    for (const subscription of this.#subscriptions) {
      subscription.isThere = false;
      const backMs = this.#network.latencyMs() * (RESUBSCRIBED_WITHIN_MS / 4);
      this.#schedule.after(backMs, subscription.process, () => {
        subscription.isThere = true;
      });
    }
  }

  worker(process: SimProcess): WorkerSignals {
    return {
      listen: (workerId, onHint, signal) => this.#listen(process, workerId, onHint, signal),
      toWorker: (workerId, hint) => this.#send(process, workerId, hint),
      toController: (hint) => this.#send(process, CONTROLLERS, hint),
      close: () => Promise.resolve(),
    };
  }

  controller(process: SimProcess): ControllerSignals {
    return {
      listen: (onHint, signal) => this.#listen(process, CONTROLLERS, onHint, signal),
      toWorker: (workerId, hint) => this.#send(process, workerId, hint),
      presence: (workerIds) => this.#presence(process, workerIds),
      close: () => Promise.resolve(),
    };
  }

  #presence(process: SimProcess, workerIds: readonly string[]): Promise<PresenceAnswer | undefined> {
    return new Promise((resolve) => {
      this.#schedule.after(this.#network.latencyMs(), undefined, () => {
        const there = [...this.#subscriptions].filter((one) => one.isThere && !one.process.isDead);
        const channels = new Set(there.map(({ channel }) => channel));
        const answer = { connection: this.#connection, present: new Set(workerIds.filter((id) => channels.has(id))) };
        const lost = this.#network.happens('loseAnswer');
        this.#schedule.after(this.#network.latencyMs(), process, () => resolve(lost ? undefined : answer));
      });
    });
  }

  #listen(process: SimProcess, channel: string, onHint: (hint: Hint) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    const subscription = { channel, process, onHint, isThere: true };
    this.#subscriptions.add(subscription);
    signal.addEventListener('abort', () => this.#subscriptions.delete(subscription), { once: true });
  }

  #send(process: SimProcess, channel: string, hint: Hint): void {
    if (process.isDead || this.#network.happens('loseHint')) return;
    this.#trace.note(process.name, `hints ${hint.kind} to ${channel}`);
    const latencyMs = this.#network.latencyMs(this.#network.unkindness.delayRequest);
    for (const one of this.#subscriptions) {
      if (one.channel !== channel) continue;
      this.#schedule.after(latencyMs, one.process, () => {
        if (one.isThere && this.#subscriptions.has(one)) one.onHint(hint);
      });
    }
  }
}
