/** Small fleets, where every way to lay the leases can be tried: the plan's spread and its moves against the best. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '../../../../controller/assignment/plan.ts';
import type { PlannedLease, PlannedWorker } from '../../../../controller/assignment/spread.ts';
import { carriedOut, held, ownerOf, weightsOf, worker } from './plan-scenes.ts';

interface SmallFleet {
  readonly workers: readonly PlannedWorker[];
  readonly leases: readonly PlannedLease[];
}

interface Laid {
  readonly most: number;
  readonly squares: number;
  readonly moves: number;
}

const smallFleets = (maxWeight: number): fc.Arbitrary<SmallFleet> =>
  fc.integer({ min: 2, max: 3 }).chain((count) => {
    const weight = fc.integer({ min: 1, max: maxWeight });
    const owner = fc.integer({ min: 0, max: count - 1 });
    return fc.array(fc.tuple(weight, owner), { minLength: 1, maxLength: count === 2 ? 8 : 6 }).map((found) => ({
      workers: Array.from({ length: count }, (_, i) => worker(`w${i}`)),
      leases: found.map(([weighs, i], n) => held(`s${n}`, `w${i}`, weighs)),
    }));
  });

/** Every way to lay the leases over the workers. */
function* allWays({ workers, leases }: SmallFleet): Generator<readonly PlannedLease[]> {
  const ways = workers.length ** leases.length;
  for (let way = 0; way < ways; way++) {
    yield leases.map((one, i) => {
      const { id } = workers[Math.floor(way / workers.length ** i) % workers.length]!;
      return held(one.key, id, one.weight);
    });
  }
}

function laid(fleet: SmallFleet, leases: readonly PlannedLease[]): Laid {
  const weights = [...weightsOf(leases, fleet.workers).values()];
  return {
    most: Math.max(...weights),
    squares: weights.reduce((sum, weight) => sum + weight ** 2, 0),
    moves: leases.filter((one, i) => ownerOf(one) !== ownerOf(fleet.leases[i]!)).length,
  };
}

function planned(fleet: SmallFleet): Laid {
  return laid(fleet, carriedOut(fleet.leases, plan(fleet.leases, fleet.workers)));
}

/** Moves of the shortest way to a spread that is nowhere worse. */
function fewestMoves(fleet: SmallFleet, { most, squares }: Laid): number {
  let fewest = fleet.leases.length;
  for (const way of allWays(fleet)) {
    const one = laid(fleet, way);
    if (one.most <= most && one.squares <= squares) fewest = Math.min(fewest, one.moves);
  }
  return fewest;
}

describe('a plan for a small fleet', () => {
  it('of equal shards needs as few moves as any way to an equal spread', () => {
    fc.assert(
      fc.property(smallFleets(1), (fleet) => {
        const own = planned(fleet);
        expect(own.moves).toBe(fewestMoves(fleet, own));
      }),
      { numRuns: 60 },
    );
  });

  it('of unequal shards needs at most one move more than any way to as good a spread', () => {
    fc.assert(
      fc.property(smallFleets(8), (fleet) => {
        const own = planned(fleet);
        expect(own.moves).toBeLessThanOrEqual(fewestMoves(fleet, own) + 1);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves no worker with more than 1.5 times what the best spread leaves, and mostly with no more', () => {
    let best = 0;
    let runs = 0;
    fc.assert(
      fc.property(smallFleets(8), (fleet) => {
        const least = Math.min(...[...allWays(fleet)].map((way) => laid(fleet, way).most));
        const { most } = planned(fleet);
        runs++;
        if (most === least) best++;
        expect(most).toBeLessThanOrEqual(1.5 * least);
      }),
      { numRuns: 60 },
    );
    expect(best / runs).toBeGreaterThan(0.7);
  });
});
