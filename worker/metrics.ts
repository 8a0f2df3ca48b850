/**
 * Every metric of the worker. The flow counts plain numbers, once per batch; here they become metrics when a scrape
 * asks. Series of a shard exist only while this worker has its lease; no histogram carries a shard label.
 */
import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import { CLOCK_AHEAD_HELP } from '../runtime/clock-skew.ts';
import { METRIC_PREFIX } from '../runtime/metrics.ts';
import type { Distribution, FlowCounts } from './shard/flow-counts.ts';

export interface MetricDeclaration {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

const DECLARED = {
  records: ['counter', 'records_read_total', [], 'records that went through the ledger, replayed ones too'],
  bytes: ['counter', 'bytes_read_total', [], 'payload bytes of those records'],
  fresh: ['counter', 'records_fresh_total', [], 'records judged fresh by this process'],
  duplicate: ['counter', 'records_duplicate_total', [], 'records judged duplicate by this process'],
  replayed: [
    'counter',
    'records_replayed_total',
    [],
    'records read again that the ledger had already: not counted again',
  ],
  outsideRange: [
    'counter',
    'records_outside_range_total',
    [],
    'user records of aggregates left out because another shard has their hash key; only with aggregates: ownRange',
  ],
  formats: ['counter', 'records_by_format_total', ['format'], 'decoded records by format, replayed ones too'],
  undecodable: ['counter', 'records_undecodable_total', ['reason'], 'records without identity, by reason'],
  batchSeconds: ['histogram', 'batch_seconds', [], 'one batch through all stages, waiting for Redis included'],
  arrivalToCounted: [
    'histogram',
    'arrival_to_counted_seconds',
    [],
    'from arrival in Kinesis until counted in the ledger',
  ],
  lag: ['gauge', 'shard_lag_seconds', ['shard'], 'how far behind the tip a shard is; only for shards held here'],
  leases: ['gauge', 'leases_held', [], 'shards that this worker works on'],
  states: ['gauge', 'shard_consumers', ['state'], 'shard consumers by state'],
  conditions: ['gauge', 'shard_conditions', ['condition'], 'shards that cannot go on, by what keeps them'],
  leasesLost: ['counter', 'leases_lost_total', ['reason'], 'leases that went without being given back'],
  handover: [
    'histogram',
    'handover_seconds',
    ['step'],
    'changes of owner: open, read, commit of a shard taken up; finish, checkpoint, release of one given back',
  ],
  checkpoints: ['counter', 'checkpoints_total', [], 'checkpoints written'],
  waiting: [
    'gauge',
    'shards_waiting',
    ['for'],
    'shards that stand still until redis, dynamodb or the store of dead letters takes what they have',
  ],
  deadLettersStored: ['counter', 'dead_letters_stored_total', [], 'dead letters stored'],
  deadLettersDropped: ['counter', 'dead_letters_dropped_total', [], 'oldest dead letters that made room for new ones'],
  trims: [
    'counter',
    'records_trimmed_total',
    [],
    'openings whose checkpoint was older than retention: records between it and the oldest left were never read',
  ],
  trimmedSeconds: ['counter', 'records_trimmed_seconds_total', [], 'arrival time over which such records were trimmed'],
  shardsGone: [
    'counter',
    'shards_trimmed_total',
    [],
    'leases removed because retention trimmed their shard before it was read to its end',
  ],
  throttled: ['counter', 'reads_throttled_total', [], 'reads that Kinesis refused because of the rate'],
  healing: [
    'gauge',
    'ledger_healing_shards',
    [],
    'shards whose counts are too low until they have read again what Redis lost',
  ],
  healed: [
    'counter',
    'records_healed_total',
    [],
    'records read again because Redis lost a longer tail than settling allows for',
  ],
  reopenings: ['counter', 'ledger_reopenings_total', [], 'openings after a ledger row was not what its owner wrote'],
  budget: ['gauge', 'byte_budget_used_bytes', [], 'bytes of records read and not yet done with'],
  clockAhead: ['gauge', 'clock_ahead_seconds', [], CLOCK_AHEAD_HELP],
} as const satisfies Record<string, readonly [MetricDeclaration['type'], string, readonly string[], string]>;

/** For the README's table. */
export const WORKER_METRICS: readonly MetricDeclaration[] = Object.values(DECLARED).map(
  ([type, name, labels, help]) => ({ name: METRIC_PREFIX + name, type, labels, help }),
);

/** A shard consumer as a scrape sees it. */
export interface ShardSight {
  readonly shardId: string;
  readonly state: string;
  readonly lagMs: number;
  readonly condition: string | undefined;
  readonly isWaitingForRedis: boolean;
  readonly isWaitingForTable: boolean;
  readonly isWaitingForDeadLetters: boolean;
  readonly throttledReads: number;
  readonly isHealing: boolean;
}

export interface WorkerSight {
  readonly counts: FlowCounts;
  readonly shards: readonly ShardSight[];
  readonly budgetUsedBytes: number;
  readonly clockAheadSeconds: number;
}

type Key = keyof typeof DECLARED;
type Values = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

/** @param look asked at each scrape. */
export function registerWorkerMetrics(registry: Registry, look: () => WorkerSight): void {
  for (const [key, [type, name, labels, help]] of Object.entries(DECLARED)) {
    const options = { name: METRIC_PREFIX + name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'histogram') {
      const read = (): Distributions => distributionsOf(key as Key, look().counts);
      registry.registerMetric(histogramOf(options.name, help, read) as unknown as Metric);
    } else if (type === 'gauge') {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          for (const [values, value] of valuesOf(key as Key, look())) this.set(values, value);
        },
      });
    } else {
      new Counter({
        ...options,
        collect() {
          this.reset();
          for (const [values, value] of valuesOf(key as Key, look())) this.inc(values, value);
        },
      });
    }
  }
}

const READ: Partial<Record<Key, (sight: WorkerSight) => Values>> = {
  records: ({ counts }) => [[{}, counts.records]],
  bytes: ({ counts }) => [[{}, counts.bytes]],
  fresh: ({ counts }) => [[{}, counts.fresh]],
  duplicate: ({ counts }) => [[{}, counts.duplicate]],
  replayed: ({ counts }) => [[{}, counts.replayed]],
  outsideRange: ({ counts }) => [[{}, counts.outsideRange]],
  formats: ({ counts }) => labelled('format', counts.formats),
  undecodable: ({ counts }) => labelled('reason', counts.undecodable),
  lag: ({ shards }) => shards.map(({ shardId, lagMs }) => [{ shard: shardId }, lagMs / 1_000]),
  leases: ({ shards }) => [[{}, shards.length]],
  states: ({ shards }) => labelled('state', tally(shards.map(({ state }) => state))),
  conditions: ({ shards }) => labelled('condition', tally(shards.map(({ condition }) => condition))),
  leasesLost: ({ counts }) => labelled('reason', counts.leasesLost),
  checkpoints: ({ counts }) => [[{}, counts.checkpoints]],
  waiting: ({ shards }) => [
    [{ for: 'redis' }, shards.filter(({ isWaitingForRedis }) => isWaitingForRedis).length],
    [{ for: 'dynamodb' }, shards.filter(({ isWaitingForTable }) => isWaitingForTable).length],
    [{ for: 'dead-letters' }, shards.filter(({ isWaitingForDeadLetters }) => isWaitingForDeadLetters).length],
  ],
  deadLettersStored: ({ counts }) => [[{}, counts.deadLettersStored]],
  deadLettersDropped: ({ counts }) => [[{}, counts.deadLettersDropped]],
  trims: ({ counts }) => [[{}, counts.trims]],
  trimmedSeconds: ({ counts }) => [[{}, counts.trimmedMs / 1_000]],
  shardsGone: ({ counts }) => [[{}, counts.shardsGone]],
  throttled: ({ counts, shards }) => [
    [{}, shards.reduce((sum, { throttledReads }) => sum + throttledReads, counts.throttledReads)],
  ],
  healing: ({ shards }) => [[{}, shards.filter(({ isHealing }) => isHealing).length]],
  healed: ({ counts }) => [[{}, counts.healed]],
  reopenings: ({ counts }) => [[{}, counts.reopenings]],
  budget: ({ budgetUsedBytes }) => [[{}, budgetUsedBytes]],
  clockAhead: ({ clockAheadSeconds }) => [[{}, clockAheadSeconds]],
};

function valuesOf(key: Key, sight: WorkerSight): Values {
  return READ[key]?.(sight) ?? [];
}

type Distributions = readonly (readonly [labels: Readonly<Record<string, string>>, Distribution])[];

function distributionsOf(key: Key, counts: FlowCounts): Distributions {
  if (key === 'handover') return [...counts.handoverSeconds].map(([step, distribution]) => [{ step }, distribution]);
  return [[{}, key === 'batchSeconds' ? counts.batchSeconds : counts.arrivalToCountedSeconds]];
}

function labelled(label: string, counts: ReadonlyMap<string, number>): Values {
  return [...counts].map(([value, count]) => [{ [label]: value }, count]);
}

function tally(words: readonly (string | undefined)[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** A histogram whose numbers are kept elsewhere: the library's own takes one call per observation. */
function histogramOf(name: string, help: string, read: () => Distributions): unknown {
  return {
    name,
    help,
    reset: () => undefined,
    get: () => {
      const values = read().flatMap(([labels, distribution]) => valuesOfHistogram(name, labels, distribution));
      return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
    },
  };
}

function valuesOfHistogram(name: string, labels: Readonly<Record<string, string>>, distribution: Distribution) {
  const { bounds, counts, sum } = distribution;
  let below = 0;
  const buckets = [...bounds, '+Inf'].map((le, i) => {
    below += counts[i]!;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
  });
  const total = { metricName: `${name}_sum`, labels, value: sum };
  return [...buckets, total, { metricName: `${name}_count`, labels, value: below }];
}
