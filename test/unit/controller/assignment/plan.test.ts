import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '../../../../controller/assignment/plan.ts';
import {
  MAX_LEASES_PER_WORKER,
  type PlannedLease,
  type PlannedWorker,
} from '../../../../controller/assignment/spread.ts';
import { carriedOut, free, held, lease, worker } from './plan-scenes.ts';

function countsOf(leases: readonly PlannedLease[], workers: readonly PlannedWorker[]): Map<string, number> {
  const counts = new Map(workers.filter((w) => w.standing === 'eligible').map((w) => [w.id, 0]));
  for (const { state } of leases) {
    if (state.kind === 'held') counts.set(state.owner, (counts.get(state.owner) ?? 0) + 1);
  }
  return counts;
}

describe('the plan', () => {
  it('gives free leases to the least loaded workers', () => {
    const moves = plan([held('a', 'w1'), free('b'), free('c')], [worker('w1'), worker('w2')]);
    expect(moves).toEqual([
      { verb: 'assign', key: 'b', from: undefined, to: 'w2', reason: 'free' },
      { verb: 'assign', key: 'c', from: undefined, to: 'w1', reason: 'free' },
    ]);
  });

  it('takes from the dead and from owners that nobody knows, before anything else', () => {
    const leases = [free('a'), held('b', 'w9'), held('c', 'unknown')];
    const moves = plan(leases, [worker('w1'), worker('w9', 'dead')]);
    expect(moves.map(({ verb, key, from }) => [verb, key, from])).toEqual([
      ['take', 'b', 'w9'],
      ['take', 'c', 'unknown'],
      ['assign', 'a', undefined],
    ]);
  });

  it('hands off what a leaving worker has, to all others alike', () => {
    const leases = [...'abcdef'].map((key) => held(key, 'w1'));
    const moves = plan(leases, [worker('w1', 'leaving'), worker('w2'), worker('w3')]);
    expect(moves).toHaveLength(6);
    expect(new Set(moves.map((move) => `${move.verb} ${move.reason}`))).toEqual(new Set(['handoff leaving']));
    expect(moves.filter((move) => move.to === 'w2')).toHaveLength(3);
  });

  it('leaves everything where it is when there is nobody to give it to', () => {
    const leases = [free('a'), held('b', 'w1'), held('c', 'w2')];
    expect(plan(leases, [worker('w1', 'leaving'), worker('w2', 'dead')])).toEqual([]);
  });

  it('sends a lease on its way elsewhere when its target died, and only then', () => {
    const onItsWay = lease('a', { kind: 'handing', old: 'w1', to: 'w2' });
    expect(plan([onItsWay], [worker('w1'), worker('w2')])).toEqual([]);
    const moves = plan([onItsWay], [worker('w1'), worker('w2', 'dead')]);
    expect(moves).toEqual([{ verb: 'retarget', key: 'a', from: 'w2', to: 'w1', reason: 'dead' }]);
  });

  it('moves half to a second worker, and nothing once it is even', () => {
    const leases = [...'abcd'].map((key) => held(key, 'w1'));
    const workers = [worker('w1'), worker('w2')];
    const moves = plan(leases, workers);
    expect(moves.map((move) => move.verb)).toEqual(['handoff', 'handoff']);
    expect(plan(carriedOut(leases, moves), workers)).toEqual([]);
  });

  it('counts a lease on its way for the worker that gets it', () => {
    const leases = [held('a', 'w1'), held('b', 'w1'), lease('c', { kind: 'handing', old: 'w1', to: 'w2' })];
    expect(plan(leases, [worker('w1'), worker('w2')])).toEqual([]);
  });

  it('leaves a hot shard alone on its worker', () => {
    const cold = Array.from({ length: 20 }, (_, i) => held(`cold${i}`, i < 10 ? 'w1' : 'w2'));
    const leases = [held('hot', 'w1', 30), ...cold];
    const workers = [worker('w1'), worker('w2'), worker('w3')];
    const after = carriedOut(leases, plan(leases, workers));
    const hotOwner = after.find((one) => one.key === 'hot')?.state;
    const beside = after.filter(
      (one) =>
        one.key !== 'hot' &&
        one.state.kind === 'held' &&
        hotOwner?.kind === 'held' &&
        one.state.owner === hotOwner.owner,
    );
    expect(beside).toEqual([]);
    expect(plan(after, workers)).toEqual([]);
  });

  it('gives a worker of half the capacity half as much', () => {
    const leases = Array.from({ length: 30 }, (_, i) => free(`s${i}`));
    const workers = [worker('w1'), worker('w2'), worker('small', 'eligible', { capacity: 0.5 })];
    expect([...countsOf(carriedOut(leases, plan(leases, workers)), workers)]).toEqual([
      ['w1', 12],
      ['w2', 12],
      ['small', 6],
    ]);
  });

  it('gives nothing to a worker that only stays, and takes nothing from it that it may have', () => {
    const workers = [worker('w1', 'staying'), worker('w2')];
    expect(plan([held('a', 'w1'), held('b', 'w1'), held('c', 'w2')], workers)).toEqual([]);
    expect(plan([held('a', 'w2'), held('b', 'w2'), held('c', 'w2'), free('d')], workers)).toMatchObject([{ to: 'w2' }]);
  });

  it('moves the lease that moved least, of several that would do', () => {
    const leases = ['a', 'b', 'c', 'd'].map((key, i) => ({ ...held(key, 'w1'), generation: i === 2 ? 0 : 4 }));
    expect(plan(leases, [worker('w1'), worker('w2')]).map((move) => move.key)).toContain('c');
  });

  it('without balance places what nobody has and leaves the rest', () => {
    const leases = [free('a'), held('b', 'w1'), held('c', 'w1'), held('d', 'w1')];
    const moves = plan(leases, [worker('w1'), worker('w2')], { withoutBalance: true });
    expect(moves).toMatchObject([{ key: 'a', to: 'w2', reason: 'free' }]);
  });

  it('gives no worker more than its orders may hold', () => {
    const leases = Array.from({ length: MAX_LEASES_PER_WORKER + 5 }, (_, i) => free(`s${i}`));
    expect(plan(leases, [worker('w1')])).toHaveLength(MAX_LEASES_PER_WORKER);
  });
});

const states = (ids: readonly string[]): fc.Arbitrary<PlannedLease['state']> =>
  fc.oneof(
    fc.constant({ kind: 'free' } as const),
    fc.constantFrom(...ids).map((owner) => ({ kind: 'held', owner }) as const),
    fc
      .tuple(fc.constantFrom(...ids), fc.constantFrom(...ids))
      .map(([old, to]) => ({ kind: 'handing', old, to }) as const),
  );

const fleets = fc
  .array(fc.constantFrom<PlannedWorker['standing']>('eligible', 'eligible', 'eligible', 'leaving', 'dead'), {
    minLength: 1,
    maxLength: 8,
  })
  .chain((standings) => {
    const workers = standings.map((standing, i) => worker(`w${i}`, standing));
    const all = fc.array(states(workers.map((one) => one.id)), { maxLength: 40 });
    return all.map((found) => ({
      workers,
      leases: found.map((state, i) => lease(`s${String(i).padStart(2, '0')}`, state)),
    }));
  });

describe('the plan, for any fleet of equal shards', () => {
  it('leaves a difference of at most one, and every lease with an eligible worker', () => {
    fc.assert(
      fc.property(fleets, ({ leases, workers }) => {
        const isEligible = new Set(workers.filter((w) => w.standing === 'eligible').map((w) => w.id));
        fc.pre(isEligible.size > 0);
        // What is on its way cannot be moved: it is settled first.
        const settled = carriedOut(leases, plan(leases, workers));
        const after = carriedOut(settled, plan(settled, workers));
        const counts = [...countsOf(after, workers).values()];
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        for (const { state } of after) expect(state.kind === 'held' && isEligible.has(state.owner)).toBe(true);
      }),
    );
  });

  it('wants nothing more once it is carried out: no oscillation', () => {
    fc.assert(
      fc.property(fleets, ({ leases, workers }) => {
        const settled = carriedOut(leases, plan(leases, workers));
        const after = carriedOut(settled, plan(settled, workers));
        expect(plan(after, workers)).toEqual([]);
      }),
    );
  });

  it('moves each lease at most once, and never from an eligible worker more than it has too many', () => {
    fc.assert(
      fc.property(fleets, ({ leases, workers }) => {
        const moves = plan(leases, workers);
        expect(new Set(moves.map((move) => move.key)).size).toBe(moves.length);
        for (const move of moves) expect(workers.find((w) => w.id === move.to)?.standing).toBe('eligible');
      }),
    );
  });

  it('moves as few living leases as any plan with that spread could', () => {
    fc.assert(
      fc.property(fleets, ({ leases, workers }) => {
        const steady = leases.filter((one) => one.state.kind === 'held');
        const eligible = workers.filter((w) => w.standing === 'eligible');
        fc.pre(eligible.length > 0);
        const moves = plan(steady, eligible.concat(workers.filter((w) => w.standing !== 'eligible')));
        const counts = [...countsOf(steady, eligible).entries()].filter(([id]) => eligible.some((w) => w.id === id));
        const [share, rest] = [Math.floor(steady.length / eligible.length), steady.length % eligible.length];
        const descending = counts.map(([, count]) => count).toSorted((a, b) => b - a);
        const needed = descending.reduce((sum, count, i) => sum + Math.max(0, count - share - (i < rest ? 1 : 0)), 0);
        expect(moves.filter((move) => move.reason === 'balance')).toHaveLength(needed);
      }),
    );
  });

  it('settles for any weights', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: 4 })), { maxLength: 40 }),
        (found) => {
          const workers = [0, 1, 2, 3, 4].map((i) => worker(`w${i}`));
          const leases = found.map(([weight, owner], i) => held(`s${i}`, `w${owner}`, weight));
          const after = carriedOut(leases, plan(leases, workers));
          expect(plan(after, workers)).toEqual([]);
        },
      ),
    );
  });
});
