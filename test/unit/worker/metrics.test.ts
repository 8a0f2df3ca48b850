import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { DUPLICATE, FRESH, type Judged, REJECTED } from '../../../worker/ledger/judged.ts';
import { registerWorkerMetrics, type ShardSight, WORKER_METRICS } from '../../../worker/metrics.ts';
import { FlowCounts } from '../../../worker/shard/flow-counts.ts';
import { batchOf } from './ledger/identified.ts';
import { at } from './shard/shard-world.ts';

const SHARD: ShardSight = {
  shardId: 'shardId-000000000000',
  state: 'Reading',
  lagMs: 1_500,
  condition: undefined,
  isWaitingForRedis: true,
  isWaitingForTable: false,
  isWaitingForDeadLetters: false,
  throttledReads: 3,
  isHealing: true,
};

function bench() {
  const counts = new FlowCounts();
  let shards: readonly ShardSight[] = [SHARD];
  const registry = new Registry();
  registerWorkerMetrics(registry, () => ({ counts, shards, budgetUsedBytes: 42, clockAheadSeconds: -600 }));
  return { counts, registry, lose: () => (shards = []) };
}

/** Three records of which one is replayed: fresh, duplicate, rejected. */
function judgedBatch(): Judged {
  return {
    batch: batchOf([
      { at: 1, id: 1, arrivalMs: 0 },
      { at: 2, id: 1, arrivalMs: 0 },
      { at: 3, id: 'x', arrivalMs: 900 },
    ]),
    judgements: Uint8Array.from([FRESH, DUPLICATE, REJECTED]),
    replayed: Uint8Array.from([1, 0, 0]),
    healed: 0,
    counts: { fresh: 0, duplicate: 1, rejected: 1, replayed: 1 },
    through: at(3),
  };
}

describe("the worker's metrics", () => {
  it('are exactly those that are declared', async () => {
    const { registry } = bench();
    const names = (await registry.getMetricsAsJSON()).map(({ name, type }) => `${name} ${type}`);
    expect(new Set(names)).toEqual(new Set(WORKER_METRICS.map(({ name, type }) => `${name} ${type}`)));
  });

  it('publish what the flow counted, replayed records apart', async () => {
    const { counts, registry } = bench();
    const judged = judgedBatch();
    counts.recordBatch(judged, 1_000, 1_030, 1_000);

    const text = await registry.metrics();

    for (const line of [
      'kinesis_fleet_records_read_total 3',
      'kinesis_fleet_bytes_read_total 3',
      'kinesis_fleet_records_duplicate_total 1',
      'kinesis_fleet_records_replayed_total 1',
      'kinesis_fleet_records_undecodable_total{reason="empty"} 1',
      'kinesis_fleet_reads_throttled_total 3',
      'kinesis_fleet_shards_waiting{for="redis"} 1',
      'kinesis_fleet_batch_seconds_bucket{le="0.02"} 0',
      'kinesis_fleet_batch_seconds_bucket{le="0.05"} 1',
      'kinesis_fleet_batch_seconds_count 1',
      'kinesis_fleet_arrival_to_counted_seconds_bucket{le="0.1"} 1',
      'kinesis_fleet_arrival_to_counted_seconds_bucket{le="+Inf"} 2',
      'kinesis_fleet_arrival_to_counted_seconds_sum 1.1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('have series of a shard only while its lease is held', async () => {
    const { registry, lose } = bench();
    expect(await registry.metrics()).toContain('kinesis_fleet_shard_lag_seconds{shard="shardId-000000000000"} 1.5');
    lose();
    expect(await registry.metrics()).not.toContain('shardId');
  });
});
