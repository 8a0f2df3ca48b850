import { describe, expect, it } from 'vitest';
import {
  IDLE_SHARD_BYTES_PER_SECOND as IDLE,
  ShardWeights,
  type WeighedLease,
} from '../../../../controller/assignment/shard-weights.ts';
import type { WorkerLoad } from '../../../../lease/worker-store.ts';

/** A minute and a little: an owner knows all its shards by then. */
const KNOWN_MS = 61_000;

const says = (busiest: Record<string, number>, others?: number): WorkerLoad => ({
  leases: 1,
  bytesPerSecond: 0,
  busiest: new Map(Object.entries(busiest)),
  othersBytesPerSecond: others,
});

const lease = (shardId: string, owner?: string, load?: WorkerLoad): WeighedLease => ({
  key: `key/${shardId}`,
  shardId,
  owner,
  load,
});

function weigh(weights: ShardWeights, leases: readonly WeighedLease[], nowMs: number): number[] {
  const found = weights.weigh(leases, nowMs);
  return leases.map(({ key }) => found.get(key)!);
}

describe('the weights of shards', () => {
  it('are equal while nothing was measured', () => {
    expect(weigh(new ShardWeights(), [lease('a'), lease('b', 'w')], 0)).toEqual([IDLE, IDLE]);
  });

  it('are what their owners say, and what an idle shard costs', () => {
    const load = says({ a: 1_000_000, b: 100_000 }, 0);
    const shards = ['a', 'b', 'c', 'd', 'e'].map((id) => lease(id, 'w', load));
    expect(weigh(new ShardWeights(), shards, 0)).toEqual([IDLE + 1_000_000, IDLE + 100_000, IDLE, IDLE, IDLE]);
  });

  it('are those of the others for a shard that is not among the busiest', () => {
    const load = says({ a: 500_000 }, 90_000);
    const shards = ['a', 'b', 'c'].map((id) => lease(id, 'w', load));
    expect(weigh(new ShardWeights(), shards, 0).slice(1)).toEqual([IDLE + 90_000, IDLE + 90_000]);
  });

  it('stay while the measure moves by less than a quarter, and then follow it', () => {
    const weights = new ShardWeights();
    const at = (rate: number): readonly WeighedLease[] => [
      lease('a', 'w', says({ a: rate })),
      ...['b', 'c', 'd'].map((id) => lease(id, 'w', says({}, 0))),
    ];
    expect(weigh(weights, at(1_000_000), 0)[0]).toBe(IDLE + 1_000_000);
    for (const rate of [1_200_000, 830_000, 1_100_000]) expect(weigh(weights, at(rate), 0)[0]).toBe(IDLE + 1_000_000);
    expect(weigh(weights, at(1_300_000), 0)[0]).toBe(IDLE + 1_300_000);
    expect(weigh(weights, at(1_100_000), 0)[0]).toBe(IDLE + 1_300_000);
  });

  it('are exactly alike for shards that carry about the same', () => {
    const rates = { a: 95_000, b: 100_000, c: 105_000, d: 110_000 };
    const found = weigh(
      new ShardWeights(),
      Object.keys(rates).map((id) => lease(id, 'w', says(rates))),
      0,
    );
    expect(new Set(found).size).toBe(1);
  });

  it('go with a shard to its next owner, whose silence about it means nothing for a minute', () => {
    const weights = new ShardWeights();
    const cold = ['b', 'c', 'd'].map((id) => lease(id, 'w2', says({}, 0)));
    const hot = IDLE + 1_000_000;
    expect(weigh(weights, [lease('a', 'w1', says({ a: 1_000_000 })), ...cold], 0)[0]).toBe(hot);
    const moved = [lease('a', 'w2', says({}, 0)), ...cold];
    expect(weigh(weights, moved, 1_000)[0]).toBe(hot);
    expect(weigh(weights, moved, 50_000)[0]).toBe(hot);
    expect(weigh(weights, moved, 1_000 + KNOWN_MS)[0]).toBe(IDLE);
  });

  it('stay when the owner is gone, and are forgotten with the lease', () => {
    const weights = new ShardWeights();
    const cold = ['b', 'c', 'd'].map((id) => lease(id, 'w2', says({}, 0)));
    weigh(weights, [lease('a', 'w1', says({ a: 1_000_000 })), ...cold], 0);
    expect(weigh(weights, [lease('a'), ...cold], 90_000)[0]).toBe(IDLE + 1_000_000);
    weigh(weights, cold, 91_000);
    expect(weigh(weights, [lease('a'), ...cold], 92_000)[0]).toBe(IDLE);
  });
});
