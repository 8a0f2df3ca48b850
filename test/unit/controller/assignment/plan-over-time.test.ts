/** Plans made each second from what workers measure: traffic is noisy, swings over the day, and shifts between shards. */
import { describe, expect, it } from 'vitest';
import { plan } from '../../../../controller/assignment/plan.ts';
import { IDLE_SHARD_BYTES_PER_SECOND, ShardWeights } from '../../../../controller/assignment/shard-weights.ts';
import type { PlannedLease, PlannedWorker } from '../../../../controller/assignment/spread.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { carriedOut, free, ownerOf, weightsOf, worker } from './plan-scenes.ts';

const SECOND_MS = 1_000;
const HOUR_S = 3_600;

class Fleet {
  leases: PlannedLease[];
  workers: readonly PlannedWorker[];
  moves = 0;
  readonly #weights = new ShardWeights();
  #nowMs = 0;

  constructor(shards: number, workers: number) {
    this.leases = Array.from({ length: shards }, (_, i) => free(`s${String(i).padStart(3, '0')}`));
    this.workers = Array.from({ length: workers }, (_, i) => worker(`w${i}`));
  }

  /** One tick: `rateOf` gives what a shard's owner measures now, in bytes per second. */
  tick(rateOf: (shard: number) => number, stepMs = SECOND_MS): number {
    this.#nowMs += stepMs;
    const weights = this.#weights.weigh(
      this.leases.map((one, i) => {
        const load = { leases: 1, bytesPerSecond: 0, busiest: new Map([[one.key, rateOf(i)]]) };
        return { key: one.key, shardId: one.key, owner: ownerOf(one), load: ownerOf(one) ? load : undefined };
      }),
      this.#nowMs,
    );
    const leases = this.leases.map((one) => ({ ...one, weight: weights.get(one.key)! }));
    const moves = plan(leases, this.workers);
    this.leases = carriedOut(leases, moves);
    this.moves += moves.length;
    return moves.length;
  }

  /** Most and least of what the workers truly have, as a part of what each should have. */
  extremes(rateOf: (shard: number) => number): { readonly most: number; readonly least: number } {
    const leases = this.leases.map((one, i) => ({ ...one, weight: IDLE_SHARD_BYTES_PER_SECOND + rateOf(i) }));
    const weights = [...weightsOf(leases, this.workers).values()];
    const share = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
    return { most: Math.max(...weights) / share, least: Math.min(...weights) / share };
  }
}

describe('plans over time', () => {
  it('move nothing for two hours of steady traffic whose measure swings by a fifth', () => {
    const seed = 20;
    const random = seededRandom(seed).next;
    const means = Array.from({ length: 100 }, () => 10_000 + 200_000 * random() ** 3);
    const fleet = new Fleet(100, 7);
    for (let second = 0; second < 60; second++) fleet.tick((shard) => means[shard]!);
    const settled = fleet.moves;
    for (let second = 0; second < 2 * HOUR_S; second += 5) {
      fleet.tick((shard) => means[shard]! * (0.8 + 0.4 * random()), 5 * SECOND_MS);
    }
    // A first measure at the edge of its swing lets a weight settle once more.
    expect(fleet.moves - settled, `seed ${seed}`).toBeLessThanOrEqual(5);
    expect(fleet.extremes((shard) => means[shard]!).most).toBeLessThan(1.2);
  });

  it('move little when all traffic grows tenfold and falls again over a day', () => {
    const seed = 21;
    const random = seededRandom(seed).next;
    const means = Array.from({ length: 100 }, () => 20_000 + 20_000 * random());
    const fleet = new Fleet(100, 7);
    fleet.tick((shard) => means[shard]!);
    const settled = fleet.moves;
    for (let second = 0; second < 24 * HOUR_S; second += 60) {
      const tide = 5.5 - 4.5 * Math.cos((2 * Math.PI * second) / (24 * HOUR_S));
      fleet.tick((shard) => means[shard]! * tide * (0.95 + 0.1 * random()), 60 * SECOND_MS);
    }
    expect(fleet.moves - settled, `seed ${seed}`).toBeLessThanOrEqual(20);
    expect(fleet.extremes((shard) => means[shard]!).most).toBeLessThan(1.25);
  });

  it('leave a shard that becomes hot alone, move nothing more while it stays so, and spread again when it cools', () => {
    const seed = 22;
    const random = seededRandom(seed).next;
    const fleet = new Fleet(21, 3);
    const rateOf = (hot: number) => (shard: number) => (shard === 0 ? hot : 5_000) * (0.9 + 0.2 * random());
    for (let second = 0; second < 60; second++) fleet.tick(rateOf(5_000));
    const before = fleet.moves;
    fleet.tick(rateOf(2_000_000));
    const alone = (): number => fleet.leases.filter((one) => ownerOf(one) === ownerOf(fleet.leases[0]!)).length;
    expect(alone()).toBe(1);
    expect(fleet.moves - before).toBeLessThanOrEqual(6);
    const settled = fleet.moves;
    for (let second = 0; second < 600; second++) fleet.tick(rateOf(2_000_000));
    expect(fleet.moves - settled, `seed ${seed}`).toBe(0);
    fleet.tick(rateOf(5_000));
    expect(fleet.extremes(() => 5_000).most).toBeLessThan(1.2);
  });

  it('of equal shards give every worker its number while workers come and go', () => {
    const seed = 23;
    const random = seededRandom(seed).next;
    const fleet = new Fleet(100, 3);
    const steady = (): number => 50_000 * (0.95 + 0.1 * random());
    for (const count of [3, 10, 3, 7, 2, 25]) {
      fleet.workers = Array.from({ length: 25 }, (_, i) => worker(`w${i}`, i < count ? 'eligible' : 'leaving'));
      const needed = fleet.tick(steady);
      const living = fleet.workers.slice(0, count);
      const counts = living.map(({ id }) => fleet.leases.filter((one) => ownerOf(one) === id).length);
      expect(Math.max(...counts) - Math.min(...counts), `seed ${seed}, ${count} workers`).toBeLessThanOrEqual(1);
      expect(needed).toBeLessThanOrEqual(100);
      for (let second = 0; second < 200; second++) expect(fleet.tick(steady)).toBe(0);
    }
  });
});
