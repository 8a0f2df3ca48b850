import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '../../../../controller/assignment/plan.ts';
import type { PlannedLease, PlannedWorker } from '../../../../controller/assignment/spread.ts';
import { carriedOut, free, held, ownerOf, weightsOf, worker } from './plan-scenes.ts';

const inZone = (zone: string, ...ids: readonly string[]): PlannedWorker[] =>
  ids.map((id) => worker(id, 'eligible', { zone }));

function byZone(leases: readonly PlannedLease[], workers: readonly PlannedWorker[]): Record<string, number> {
  const zones: Record<string, number> = {};
  for (const { zone = '' } of workers) zones[zone] = 0;
  for (const one of leases) {
    const owner = workers.find(({ id }) => id === ownerOf(one));
    if (owner) zones[owner.zone ?? ''] = (zones[owner.zone ?? ''] ?? 0) + one.weight;
  }
  return zones;
}

const shards = (count: number): PlannedLease[] => Array.from({ length: count }, (_, i) => free(`s${i}`));

describe('a plan over zones', () => {
  it('gives the shards that are left over to different zones', () => {
    const workers = [
      ...inZone('a', 'a1', 'a2', 'a3'),
      ...inZone('b', 'b1', 'b2', 'b3'),
      ...inZone('c', 'c1', 'c2', 'c3'),
    ];
    const after = carriedOut(shards(12), plan(shards(12), workers));
    expect(byZone(after, workers)).toEqual({ a: 4, b: 4, c: 4 });
  });

  it('moves a shard from a zone that has too many, though every worker has its share', () => {
    const workers = [...inZone('a', 'a1', 'a2'), ...inZone('b', 'b1', 'b2')];
    const leases = [
      held('s1', 'a1'),
      held('s2', 'a1'),
      held('s3', 'a2'),
      held('s4', 'a2'),
      held('s5', 'b1'),
      held('s6', 'b2'),
    ];
    const moves = plan(leases, workers);
    expect(moves).toMatchObject([{ verb: 'handoff', reason: 'balance' }]);
    expect(byZone(carriedOut(leases, moves), workers)).toEqual({ a: 3, b: 3 });
  });

  it('gives a zone with more workers more shards: none of them has more than the others', () => {
    const workers = [...inZone('a', 'a1', 'a2', 'a3'), ...inZone('b', 'b1')];
    const after = carriedOut(shards(8), plan(shards(8), workers));
    expect(byZone(after, workers)).toEqual({ a: 6, b: 2 });
  });

  it('takes workers whose zone is not known for those of one zone', () => {
    const workers = ['w1', 'w2', 'w3'].map((id) => worker(id));
    const leases = [held('s1', 'w1'), held('s2', 'w2')];
    expect(plan(leases, workers)).toEqual([]);
  });

  it('loses no more than its share with a zone, over any equal shards, and then wants no more moves', () => {
    const fleets = fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      owners: fc.array(fc.nat({ max: 40 }), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(fleets, ({ sizes, owners }) => {
        const workers = sizes.flatMap((size, z) =>
          Array.from({ length: size }, (_, i) => inZone(`z${z}`, `w${z}${i}`)[0]!),
        );
        const leases = owners.map((owner, i) => held(`s${i}`, workers[owner % workers.length]!.id));
        const after = carriedOut(leases, plan(leases, workers));
        for (const [z, size] of sizes.entries()) {
          const share = (leases.length * size) / workers.length;
          expect(Math.abs((byZone(after, workers)[`z${z}`] ?? 0) - share)).toBeLessThan(1.1);
        }
        const counts = [...weightsOf(after, workers).values()];
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        expect(plan(after, workers)).toEqual([]);
      }),
    );
  });
});
