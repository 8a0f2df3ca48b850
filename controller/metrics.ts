/**
 * Every metric of the controller. Events are counted as they happen; what is a state (shards, workers, the ledger's
 * totals) is read from the source when a scrape asks, and vanishes with leadership: only the leader knows.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { LedgerTotals } from '../ledger/ledger.ts';
import { CLOCK_AHEAD_HELP } from '../runtime/clock-skew.ts';
import { METRIC_PREFIX } from '../runtime/metrics.ts';
import type { LedgerState } from './ledger-job/ledger-job.ts';
import { type LedgerSeries, ledgerSeries } from './ledger-series.ts';

export interface MetricDeclaration {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

const SECONDS_BUCKETS = [0.005, 0.02, 0.1, 0.3, 1, 3, 10, 30];

const DECLARED = {
  leading: ['gauge', 'controller_leading', [], '1 on the controller that leads, 0 on the others'],
  shards: ['gauge', 'shards', ['state'], 'shards by the state of their lease; only on the leader'],
  workers: ['gauge', 'workers', ['state'], 'registered workers by state, dead ones among them; only on the leader'],
  conditions: ['gauge', 'controller_conditions', ['condition'], '1 for each condition that holds now'],
  moves: ['counter', 'lease_moves_total', ['verb', 'reason'], 'lease rows given to a worker, by write and by reason'],
  takeovers: ['counter', 'takeovers_total', ['reason'], 'leases taken from a dead worker, by how its death was seen'],
  deaths: ['counter', 'worker_deaths_total', ['reason'], 'workers taken for dead, by how that was seen'],
  handoffs: ['counter', 'handoffs_total', ['outcome'], 'planned moves that ended: released, finished or forced'],
  forced: ['counter', 'handoff_forced_total', [], 'planned moves that were forced: late, or the old owner died'],
  handoffSeconds: ['histogram', 'handoff_seconds', [], 'planned moves, from the first sight of one to its end'],
  orders: ['counter', 'orders_written_total', [], 'orders rows written to workers'],
  lostWrites: ['counter', 'lease_writes_lost_total', ['operation'], 'conditional lease writes that somebody else beat'],
  recreated: ['counter', 'leases_recreated_total', [], 'lease rows that were missing and were created again'],
  removed: ['counter', 'leases_removed_total', ['reason'], 'lease rows removed: finished, or of a recreated stream'],
  parentsMissing: [
    'counter',
    'parents_missing_total',
    [],
    'parents that expired without a lease row: their children began without them',
  ],
  adoptions: ['counter', 'stream_resets_total', [], 'recreated streams that were begun (ON_STREAM_RECREATED)'],
  hashRangeHole: ['gauge', 'hash_range_hole', [], 'parts of the hash range without an unfinished lease: 0 is good'],
  shardsBehind: [
    'gauge',
    'ledger_shards_behind',
    [],
    'shards whose ledger rows were behind their checkpoints in the last audit, finished ones too: 0 is good',
  ],
  periods: ['gauge', 'ledger_periods', [], 'periods of arrival whose identities are kept, of all slots'],
  identities: ['gauge', 'ledger_identities', [], 'identities that are kept; they follow the slowest shard'],
  brokenRows: [
    'counter',
    'broken_rows_total',
    [],
    'rows of the fleet table that could not be understood, at each read',
  ],
  clockAhead: ['gauge', 'clock_ahead_seconds', [], CLOCK_AHEAD_HELP],
  errors: ['counter', 'controller_errors_total', ['source', 'error'], 'calls that failed, by reconciler or watch'],
  reconcileSeconds: ['histogram', 'reconcile_seconds', ['reconciler'], 'turns of each reconciler'],
  records: [
    'counter',
    'ledger_records_total',
    ['judgement'],
    'exact records of the fleet: fresh, duplicate, undecodable',
  ],
  counters: ['counter', 'ledger_counter_total', ['counter', 'value'], "exact fresh records by the pipeline's counters"],
  uniques: [
    'gauge',
    'ledger_unique_members',
    ['unique'],
    'distinct members of a unique, exact unless it is approximate',
  ],
  uniqueValues: [
    'gauge',
    'ledger_unique_members_by_value',
    ['unique', 'value'],
    'distinct members of a unique per value: the 300 largest, the rest as value "other"',
  ],
} as const satisfies Record<string, readonly [MetricDeclaration['type'], string, readonly string[], string]>;

type Key = keyof typeof DECLARED;
type Metrics = {
  readonly [K in Key]: (typeof DECLARED)[K][0] extends 'counter'
    ? Counter
    : (typeof DECLARED)[K][0] extends 'gauge'
      ? Gauge
      : Histogram;
};

/** For the README's table. */
export const CONTROLLER_METRICS: readonly MetricDeclaration[] = Object.values(DECLARED).map(
  ([type, name, labels, help]) => ({ name: METRIC_PREFIX + name, type, labels, help }),
);

/** What a scrape reads: undefined parts are not known to this process now. */
export interface ControllerState {
  readonly leading: boolean;
  readonly shards: Readonly<Record<string, number>> | undefined;
  readonly workers: Readonly<Record<string, number>> | undefined;
  readonly conditions: readonly string[];
  readonly hashRangeHoles: number | undefined;
  readonly totals: LedgerTotals | undefined;
  /** What the ledger job found last. */
  readonly ledger?: LedgerState | undefined;
  readonly clockAheadSeconds?: number;
}

export class ControllerMetrics {
  readonly #metrics: Metrics;

  /** @param state asked once per scrape */
  constructor(registry: Registry, state: () => ControllerState) {
    const publish = (): void => this.#publish(state());
    const created = Object.entries(DECLARED).map(([key, [type, name, labels, help]]) => {
      const options = { name: METRIC_PREFIX + name, help, labelNames: [...labels], registers: [registry] };
      // The first metric of a scrape brings the states of all.
      const collect = key === 'leading' ? { collect: publish } : {};
      return [key, createMetric(type, { ...options, ...collect })];
    });
    this.#metrics = Object.fromEntries(created) as Metrics;
  }

  moved(verb: string, reason: string): void {
    this.#metrics.moves.inc({ verb, reason });
  }

  tookOver(reason: string): void {
    this.#metrics.takeovers.inc({ reason });
  }

  sawDeath(reason: string): void {
    this.#metrics.deaths.inc({ reason });
  }

  endedHandoff(outcome: string, tookMs: number): void {
    this.#metrics.handoffs.inc({ outcome });
    this.#metrics.handoffSeconds.observe(tookMs / 1_000);
    if (outcome === 'forced') this.#metrics.forced.inc();
  }

  wroteOrders(): void {
    this.#metrics.orders.inc();
  }

  lostWrite(operation: string): void {
    this.#metrics.lostWrites.inc({ operation });
  }

  recreatedLease(): void {
    this.#metrics.recreated.inc();
  }

  removedLease(reason: string): void {
    this.#metrics.removed.inc({ reason });
  }

  missedParent(): void {
    this.#metrics.parentsMissing.inc();
  }

  adoptedStream(): void {
    this.#metrics.adoptions.inc();
  }

  sawBrokenRow(): void {
    this.#metrics.brokenRows.inc();
  }

  failed(source: string, error: string): void {
    this.#metrics.errors.inc({ source, error });
  }

  reconciled(reconciler: string, tookMs: number): void {
    this.#metrics.reconcileSeconds.observe({ reconciler }, tookMs / 1_000);
  }

  #publish(state: ControllerState): void {
    const { leading, shards, workers, conditions, hashRangeHole, shardsBehind, periods, identities, clockAhead } =
      this.#metrics;
    leading.set(state.leading ? 1 : 0);
    clockAhead.set(state.clockAheadSeconds ?? 0);
    hashRangeHole.remove();
    if (state.hashRangeHoles !== undefined) hashRangeHole.set(state.hashRangeHoles);
    for (const metric of [shardsBehind, periods, identities]) metric.remove();
    if (state.ledger) {
      shardsBehind.set(state.ledger.shardsBehind);
      periods.set(state.ledger.periods);
      identities.set(state.ledger.identities);
    }
    setAll(shards, 'state', state.shards);
    setAll(workers, 'state', state.workers);
    setAll(conditions, 'condition', Object.fromEntries(state.conditions.map((condition) => [condition, 1])));
    this.#publishLedger(state.totals && ledgerSeries(state.totals));
  }

  #publishLedger(series: LedgerSeries | undefined): void {
    const { records, counters, uniques, uniqueValues } = this.#metrics;
    for (const metric of [records, counters, uniques, uniqueValues]) metric.reset();
    for (const { judgement, count } of series?.records ?? []) records.inc({ judgement }, count);
    for (const { counter, value, count } of series?.counters ?? []) counters.inc({ counter, value }, count);
    for (const { unique, count } of series?.uniques ?? []) uniques.set({ unique }, count);
    for (const { unique, value, count } of series?.uniqueValues ?? []) uniqueValues.set({ unique, value }, count);
  }
}

interface MetricOptions {
  name: string;
  help: string;
  labelNames: string[];
  registers: Registry[];
  collect?: () => void;
}

function createMetric(type: MetricDeclaration['type'], options: MetricOptions): Counter | Gauge | Histogram {
  switch (type) {
    case 'counter':
      return new Counter(options);
    case 'gauge':
      return new Gauge(options);
    case 'histogram':
      return new Histogram({ ...options, buckets: SECONDS_BUCKETS });
  }
}

function setAll(gauge: Gauge, label: string, values: Readonly<Record<string, number>> | undefined): void {
  gauge.reset();
  for (const [value, count] of Object.entries(values ?? {})) gauge.set({ [label]: value }, count);
}
