/**
 * Membership: which workers there are, and which of them live. A read of the worker rows each tick, and a count of
 * subscriptions every 100 ms beside it: a dead process's sockets close at once, long before its heartbeat is missed.
 * A suspicion is settled by its row; the judgement itself is in liveness.ts.
 */
import type { FleetStore, WorkerRow, WorkerStore } from '../../lease/worker-store.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorFields, type Logger } from '../../runtime/logger.ts';
import type { ControllerSignals } from '../../signal/signals.ts';
import type { ClusterTerm } from '../cluster.ts';
import type { DeathReason, FleetView, FleetWorker } from '../fleet-view.ts';
import type { Reconciler } from '../reconciler.ts';
import type { Liveness } from './liveness.ts';

export interface MembershipOptions {
  readonly workers: Pick<WorkerStore, 'readWorkers'>;
  readonly fleet: Pick<FleetStore, 'readFleet'>;
  readonly signals: Pick<ControllerSignals, 'presence'>;
  readonly pods: Pick<ClusterTerm, 'judge'>;
  readonly liveness: Liveness;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tickMs: number;
  readonly presencePollMs: number;
  /** Told when somebody died, or may be given leases, between two ticks. */
  readonly onNews: () => void;
  /** Told of each death, once. */
  readonly onVerdict: (reason: DeathReason) => void;
}

/** However many workers say that they changed: their rows are not read more often. */
const MIN_READ_GAP_MS = 50;
/** A suspicion is settled when it is due, not at the next poll; one that could not be settled is no hot loop. */
const MIN_POLL_MS = 20;
const MAX_BEGINNER_READS = 20;

export class Membership implements Reconciler {
  readonly name = 'membership';
  readonly #options: MembershipOptions;
  readonly #rows = new Map<string, WorkerRow>();
  readonly #beginnerReads = new Map<string, number>();
  /** Workers whose pods ended: said once. */
  readonly #ended = new Set<string>();
  /** Workers whose pods are being deleted: said once. */
  readonly #leaving = new Set<string>();
  #ids: readonly string[] = [];
  #readMs = Number.NEGATIVE_INFINITY;
  #hasNews: boolean = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** A worker registered, drains or left: read the rows at the next turn. */
  hint(): void {
    this.#hasNews = true;
  }

  async reconcile(view: FleetView): Promise<void> {
    const { clock, tickMs } = this.#options;
    const ageMs = clock.monotonicMs() - this.#readMs;
    if (ageMs >= tickMs * 0.9 || (this.#hasNews && ageMs >= MIN_READ_GAP_MS)) await this.#readAll(view);
    if (this.#readMs > Number.NEGATIVE_INFINITY) view.workers = this.#seen();
  }

  /** Beside the ticks, for a whole term. */
  async watchPresence(view: FleetView, signal: AbortSignal): Promise<void> {
    const { clock, liveness, onNews, presencePollMs } = this.#options;
    while (!signal.aborted) {
      const dueInMs = Math.max(MIN_POLL_MS, liveness.dueInMs(clock.monotonicMs()));
      await clock.sleep(Math.min(presencePollMs, dueInMs), signal);
      if (signal.aborted) return;
      // A hint that came too soon after a read had no turn of its own.
      if (this.#hasNews) onNews();
      if (this.#ids.length > 0) await this.#lookForDeaths(view);
    }
  }

  async #lookForDeaths(view: FleetView): Promise<void> {
    const { clock, liveness, logger, onNews, signals } = this.#options;
    for (const id of liveness.sawPresence(await signals.presence(this.#ids), clock.monotonicMs())) {
      if (liveness.deathOf(id) === undefined) logger.info('worker is not present', { worker: id });
    }
    const unclear = [...liveness.toRead(clock.monotonicMs()), ...this.#beginners()];
    if (unclear.length === 0) return;
    try {
      await this.#read(unclear);
      if (this.#differs(view, unclear)) onNews();
    } catch (error) {
      logger.warn('suspects could not be read', errorFields(error));
    }
  }

  /** Who registered just now can take leases in a moment: worth a few reads more, not many. */
  #beginners(): string[] {
    const starting = this.#ids.filter((id) => this.#rows.get(id)?.state === 'starting');
    return starting.filter((id) => {
      const reads = this.#beginnerReads.get(id) ?? 0;
      this.#beginnerReads.set(id, reads + 1);
      return reads < MAX_BEGINNER_READS;
    });
  }

  #differs(view: FleetView, ids: readonly string[]): boolean {
    return ids.some((id) => {
      const known = view.workers?.get(id);
      return this.#options.liveness.deathOf(id) !== known?.dead || this.#rows.get(id)?.state !== known?.row?.state;
    });
  }

  /** Owners of leases are asked for too: one that is not registered any more holds what must be taken. */
  async #readAll(view: FleetView): Promise<void> {
    const { clock, fleet, liveness } = this.#options;
    this.#hasNews = false;
    const startedMs = clock.monotonicMs();
    const owners = view.leases.all().flatMap((lease) => [lease.owner, lease.checkpointOwner]);
    const known = new Set([...this.#ids, ...owners.filter((owner) => owner !== undefined)]);
    const [row] = await Promise.all([fleet.readFleet(), this.#read([...known])]);
    const registered = row?.workers ?? [];
    const added = registered.filter((id) => !known.has(id));
    if (added.length > 0) await this.#read(added);
    const ids = new Set([...registered, ...owners.filter((owner) => owner !== undefined)]);
    this.#ids = [...ids];
    liveness.forgetOthers(ids);
    for (const known of [this.#rows, this.#beginnerReads, this.#ended, this.#leaving]) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    }
    if (row && view.fleet) view.fleet = { ...view.fleet, workers: registered };
    view.fleet ??= row;
    this.#readMs = startedMs;
  }

  async #read(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { clock, liveness, logger, onVerdict, workers } = this.#options;
    const startedMs = clock.monotonicMs();
    const before = new Map(ids.map((id) => [id, liveness.deathOf(id)]));
    const rows = await workers.readWorkers(ids);
    liveness.sawRows(ids, rows, startedMs);
    for (const id of ids) this.#rows.delete(id);
    for (const row of rows) this.#rows.set(row.id, row);
    for (const id of ids) {
      const dead = liveness.deathOf(id);
      if (dead === before.get(id)) continue;
      if (dead === undefined) {
        logger.info('worker lives after all', { worker: id });
        continue;
      }
      if (dead === 'gone') logger.info('worker left', { worker: id });
      else logger.warn('worker is taken for dead', { worker: id, why: dead });
      onVerdict(dead);
    }
  }

  #seen(): ReadonlyMap<string, FleetWorker> {
    const { liveness, pods } = this.#options;
    const verdicts = pods.judge(this.#ids);
    return new Map(
      this.#ids.map((id) => {
        const row = this.#rows.get(id);
        const verdict = verdicts.get(id);
        const dead = liveness.deathOf(id) ?? (verdict === 'ended' ? this.#sawEnded(id) : undefined);
        if (verdict === 'leaving' && dead === undefined) this.#sawLeaving(id);
        // A pod that must go is drained at once: its worker may hear of it a second later.
        return [id, { id, dead, row: row && verdict === 'leaving' ? { ...row, state: 'draining' } : row }];
      }),
    );
  }

  #sawLeaving(id: string): void {
    if (this.#leaving.has(id)) return;
    this.#leaving.add(id);
    this.#options.logger.info('worker is to leave with its pod', { worker: id });
  }

  #sawEnded(id: string): DeathReason {
    if (!this.#ended.has(id)) {
      this.#ended.add(id);
      this.#options.logger.warn('worker is taken for dead', { worker: id, why: 'pod' });
      this.#options.onVerdict('pod');
    }
    return 'pod';
  }
}
