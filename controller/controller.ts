/**
 * The controller's table of contents: while it leads, it gives its reconcilers their turns, in this order, every tick
 * and at once when a hint comes; beside them run the watches, which only look. Everything it knows ends with the
 * term. Standing by, it does nothing.
 */
import type { Leadership } from '../lease/leadership.ts';
import type { LeaseStore } from '../lease/lease-store.ts';
import type { FleetStore, WorkerStore } from '../lease/worker-store.ts';
import type { LedgerReader } from '../ledger/ledger.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorName } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ControllerSignals, Hint } from '../signal/signals.ts';
import type { Move } from './assignment/plan.ts';
import { createAssignment } from './assignment/reconcile.ts';
import { createAudit } from './audit/reconcile.ts';
import { createCleanup } from './cleanup/reconcile.ts';
import type { Cluster, ClusterTerm } from './cluster.ts';
import { Conditions } from './conditions.ts';
import type { ControllerSettings } from './config.ts';
import { countShards, countWorkers } from './fleet-counts.ts';
import type { FleetView } from './fleet-view.ts';
import { createHandoff } from './handoff/reconcile.ts';
import { LeaseCache } from './lease-cache.ts';
import { createLeaseRefresh } from './lease-refresh/reconcile.ts';
import { createHealLeases } from './ledger-job/heal-leases.ts';
import { type JobLedger, LedgerJobWatch } from './ledger-job/ledger-job.ts';
import { LedgerTotalsWatch } from './ledger-totals.ts';
import { Liveness } from './membership/liveness.ts';
import { Membership } from './membership/reconcile.ts';
import type { ControllerMetrics, ControllerState } from './metrics.ts';
import { createOrders } from './orders/reconcile.ts';
import type { Reconciler } from './reconciler.ts';
import { createShardSync } from './shard-sync/reconcile.ts';
import { StreamWatch } from './shard-sync/stream-watch.ts';
import type { StreamSource } from './stream-source.ts';
import { Turns } from './turns.ts';
import { Wakeup } from './wakeup.ts';

export interface ControllerOptions {
  readonly settings: ControllerSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leadership: Leadership;
  readonly leases: LeaseStore;
  readonly workers: WorkerStore;
  readonly fleet: FleetStore;
  readonly source: StreamSource;
  readonly signals: ControllerSignals;
  readonly ledger: Pick<LedgerReader, 'totals'>;
  /** Absent: nobody audits this ledger, and nothing in it is forgotten. */
  readonly ledgerJob?: JobLedger;
  readonly metrics: ControllerMetrics;
  readonly cluster: Cluster;
}

/** Turns that hints ask for stay this far apart. */
const MIN_TICK_GAP_MS = 20;
const TURN_MS = 5_000;
const FAILED_TICK_BACKOFF = { baseMs: 200, maxMs: 5_000 };
/** A leading controller that finished no round for this long is stuck. */
const STUCK_MS = 60_000;

const NOTHING_SEEN = { fleet: undefined, workers: undefined, listing: undefined, hashRangeHoles: undefined };

/** One term of leadership: what is seen, and who acts on it. */
interface Term {
  readonly view: FleetView;
  readonly wakeup: Wakeup;
  readonly membership: Membership;
  readonly cluster: ClusterTerm;
  readonly streamWatch: StreamWatch;
  readonly ledgerJob: LedgerJobWatch | undefined;
  /** Bring the picture up to date. */
  readonly observing: readonly Reconciler[];
  /** Write. None of them has a turn while a condition says that this is not our table. */
  readonly acting: readonly Reconciler[];
}

export class Controller {
  readonly #options: ControllerOptions;
  readonly #conditions: Conditions;
  readonly #totals: LedgerTotalsWatch;
  #term: Term | undefined;
  #roundMs = 0;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#conditions = new Conditions(options.logger);
    this.#totals = new LedgerTotalsWatch({
      reader: options.ledger,
      clock: options.clock,
      conditions: this.#conditions,
      readMs: options.settings.ledgerReadMs,
      onError: (error) => options.metrics.failed('ledger-totals', errorName(error)),
    });
  }

  /** Until the signal aborts; leadership is given back at the end. */
  run(signal: AbortSignal): Promise<void> {
    return this.#options.leadership.run(signal, (term) => this.#lead(term));
  }

  /** For a scrape and for /readyz. */
  state(): ControllerState {
    const view = this.#term?.view;
    return {
      leading: this.#term !== undefined && this.#options.leadership.isLeading(),
      shards: view && countShards(view),
      workers: view && countWorkers(view),
      conditions: Object.keys(this.#conditions.shown()),
      hashRangeHoles: view?.hashRangeHoles,
      totals: this.#totals.current(),
      ledger: this.#term?.ledgerJob?.state(),
    };
  }

  conditions(): Readonly<Record<string, unknown>> {
    return this.#conditions.shown();
  }

  /** Does a leading controller get its rounds done? A store that does not answer is no reason to say no. */
  isLive(): boolean {
    return this.#term === undefined || this.#options.clock.monotonicMs() - this.#roundMs < STUCK_MS;
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const term = this.#begin();
    this.#term = term;
    this.#roundMs = this.#options.clock.monotonicMs();
    this.#options.signals.listen((hint) => take(hint, term), signal);
    try {
      await Promise.all([
        this.#rounds(term, signal),
        term.streamWatch.run(term.view, signal),
        term.membership.watchPresence(term.view, signal),
        term.cluster.run(signal),
        this.#totals.run(signal),
        term.ledgerJob?.run(term.view, signal),
      ]);
    } finally {
      this.#term = undefined;
      this.#conditions.forget();
    }
  }

  async #rounds(term: Term, signal: AbortSignal): Promise<void> {
    const { clock, logger, metrics, settings } = this.#options;
    const turns = new Turns({
      clock,
      logger,
      turnMs: TURN_MS,
      onEnd: (reconciler, tookMs) => metrics.reconciled(reconciler, tookMs),
      onError: (reconciler, error) => metrics.failed(reconciler, errorName(error)),
    });
    let failures = 0;
    while (!signal.aborted) {
      const isFine = await this.#round(term, turns, signal);
      this.#roundMs = clock.monotonicMs();
      failures = isFine ? 0 : failures + 1;
      if (failures === 0) await term.wakeup.wait(settings.tickMs, signal);
      else await clock.sleep(backoffMs(FAILED_TICK_BACKOFF, failures), signal);
    }
  }

  async #round(term: Term, turns: Turns, signal: AbortSignal): Promise<boolean> {
    let isFine = true;
    for (const reconciler of [...term.observing, ...term.acting]) {
      if (signal.aborted) return true;
      if (this.#conditions.haltsChanges() && term.acting.includes(reconciler)) continue;
      isFine = (await turns.take(reconciler, term.view, signal)) && isFine;
    }
    if (isFine) this.#conditions.clear('TableUnreachable');
    else if (!signal.aborted) this.#conditions.raise('TableUnreachable', { trying: 'again, with back-off' });
    return isFine;
  }

  #begin(): Term {
    const { clock, fleet, leases, logger, metrics, settings, signals, source, workers } = this.#options;
    const conditions = this.#conditions;
    const wakeup = new Wakeup(clock, MIN_TICK_GAP_MS);
    const cache = new LeaseCache({ store: leases, onLost: (operation) => metrics.lostWrite(operation) });
    const view: FleetView = { leases: cache, ...NOTHING_SEEN };
    const liveness = new Liveness({
      deadAfterMs: settings.leaseDurationMs + settings.leaseMarginMs,
      graceMs: settings.presenceGraceMs,
      heartbeatMs: settings.heartbeatMs,
      longestGapMs: 2 * Math.max(settings.tickMs, settings.heartbeatMs),
    });
    const cluster = this.#beginCluster(view, wakeup);
    const { tickMs, presencePollMs } = settings;
    const membership = new Membership({
      ...{ workers, fleet, signals, liveness, clock, logger, tickMs, presencePollMs, pods: cluster },
      onNews: () => wakeup.now(),
      onVerdict: (reason) => metrics.sawDeath(reason),
    });
    const { initialPosition: initial, listShardsMs, onStreamRecreated, stream } = settings;
    const streamWatch = new StreamWatch({
      ...{ stream, source, fleet, clock, logger, conditions, initial, onStreamRecreated, listShardsMs },
      onAdopted: () => metrics.adoptedStream(),
      onListed: () => wakeup.now(),
      onError: (error) => metrics.failed('stream-watch', errorName(error)),
    });
    const ledgerJob = this.#beginLedgerJob();
    const verifyMs = settings.leaseScanMs;
    return {
      ...{ view, wakeup, membership, streamWatch, cluster, ledgerJob },
      observing: [createLeaseRefresh({ clock, conditions, scanMs: settings.leaseScanMs, tickMs }), membership],
      acting: [
        createAudit({ logger, conditions, onRepaired: () => metrics.recreatedLease() }),
        createShardSync({
          ...{ logger, initial },
          onRecreated: () => metrics.recreatedLease(),
          onParentMissing: () => metrics.missedParent(),
        }),
        createAssignment({ logger, clock, pods: cluster, onMoved: (move) => this.#count(move, view, cluster) }),
        createHandoff({
          ...{ clock, logger, deadlineMs: settings.handoffDeadlineMs },
          onOver: (outcome, tookMs) => metrics.endedHandoff(outcome, tookMs),
        }),
        ...(ledgerJob ? [createHealLeases({ wanted: ledgerJob.wanted, logger })] : []),
        createOrders({ workers, signals, clock, logger, verifyMs, onWritten: () => metrics.wroteOrders() }),
        createCleanup({ workers, logger, onRemoved: (reason) => metrics.removedLease(reason) }),
      ],
    };
  }

  #beginLedgerJob(): LedgerJobWatch | undefined {
    const { clock, fleet, leases, ledgerJob, logger, metrics, settings } = this.#options;
    if (!ledgerJob) return undefined;
    return new LedgerJobWatch({
      ...{ ...ledgerJob, leases, fleet, clock, logger, conditions: this.#conditions, auditMs: settings.ledgerAuditMs },
      onError: (error) => metrics.failed('ledger-job', errorName(error)),
    });
  }

  #beginCluster(view: FleetView, wakeup: Wakeup): ClusterTerm {
    const { cluster, metrics } = this.#options;
    const conditions = this.#conditions;
    return cluster.begin({
      view,
      onNews: () => wakeup.now(),
      mayAct: () => !conditions.haltsChanges(),
      onError: (source, error) => metrics.failed(source, errorName(error)),
      onReachable(isReachable) {
        if (isReachable) conditions.clear('KubernetesUnreachable');
        else conditions.raise('KubernetesUnreachable', { trying: 'again, with back-off' });
      },
    });
  }

  #count(move: Move, view: FleetView, cluster: ClusterTerm): void {
    const { metrics, signals } = this.#options;
    metrics.moved(move.verb, move.reason);
    const hint = { kind: 'lease-moved', leaseKey: move.key } as const;
    signals.toWorker(move.to, hint);
    if (move.verb === 'handoff' && move.from !== undefined) signals.toWorker(move.from, hint);
    if (move.verb !== 'take') return;
    const reason = view.workers?.get(move.from ?? '')?.dead ?? 'gone';
    metrics.tookOver(reason);
    cluster.tookLease(move.from ?? '', reason);
  }
}

/** Hints only say where to look sooner. */
function take(hint: Hint, term: Term): void {
  switch (hint.kind) {
    case 'lease-released':
      term.view.leases.hint(hint.leaseKey);
      break;
    case 'shard-ended':
      term.view.leases.hint(hint.leaseKey);
      term.streamWatch.lookNow();
      break;
    case 'worker-changed':
      term.membership.hint();
      break;
    case 'orders-changed':
    case 'lease-moved':
      return;
  }
  term.wakeup.now();
}
