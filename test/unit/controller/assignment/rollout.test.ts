import { describe, expect, it } from 'vitest';
import { type Move, plan } from '../../../../controller/assignment/plan.ts';
import { Rollout } from '../../../../controller/assignment/rollout.ts';
import type { PlannedLease } from '../../../../controller/assignment/spread.ts';
import type { PodPlace } from '../../../../controller/cluster.ts';
import type { FleetWorker } from '../../../../controller/fleet-view.ts';
import type { WorkerLoad, WorkerState } from '../../../../lease/worker-store.ts';
import { carriedOut, held, ownerOf } from './plan-scenes.ts';

const place = (more: Partial<PodPlace> = {}): PodPlace => ({
  zone: undefined,
  isUnready: false,
  isOutdated: false,
  ...more,
});

function seen(id: string, state: WorkerState = 'active', load: Partial<WorkerLoad> = {}): FleetWorker {
  const row = { id, beats: 1, state, ordersVersion: 0, load: { leases: 0, bytesPerSecond: 0, ...load } };
  return { id, dead: undefined, row };
}

function rolloutWith(places: Readonly<Record<string, PodPlace>>): Rollout {
  return new Rollout({ placeOf: (id) => places[id] });
}

describe('a worker for the plan', () => {
  it('is in the zone of its setting, else of its pod', () => {
    const rollout = rolloutWith({ w1: place({ zone: 'pod' }), w2: place({ zone: 'pod' }) });
    const { workers } = rollout.look([seen('w1', 'active', { zone: 'own' }), seen('w2'), seen('w3')], 0);
    expect(workers.map(({ zone }) => zone)).toEqual(['own', 'pod', undefined]);
  });

  it('has the capacity of its setting', () => {
    const { workers } = rolloutWith({}).look([seen('w1', 'active', { capacity: 50 }), seen('w2')], 0);
    expect(workers.map(({ capacity }) => capacity)).toEqual([0.5, 1]);
  });

  it('is given nothing while it starts, drains, is dead, or its pod is ready no more', () => {
    const dead: FleetWorker = { ...seen('w3'), dead: 'presence' };
    const rollout = rolloutWith({ w4: place({ isUnready: true }) });
    const { workers } = rollout.look([seen('w1', 'starting'), seen('w2', 'draining'), dead, seen('w4'), seen('w5')], 0);
    expect(workers.map(({ standing }) => standing)).toEqual(['leaving', 'leaving', 'dead', 'staying', 'eligible']);
  });
});

describe('a rollout', () => {
  const mixed = { old1: place({ isOutdated: true }), old2: place({ isOutdated: true }), new1: place() };
  const all = [seen('old1'), seen('old2'), seen('new1')];

  it('gives nothing to pods that it will replace, and evens nothing out', () => {
    const { workers, isUnderWay } = rolloutWith(mixed).look(all, 0);
    expect(workers.map(({ standing }) => standing)).toEqual(['staying', 'staying', 'eligible']);
    expect(isUnderWay).toBe(true);
  });

  it('is none while there are only old pods, or only new ones', () => {
    const rollout = rolloutWith(mixed);
    for (const workers of [all.slice(0, 2), all.slice(2)]) {
      expect(rollout.look(workers, 0)).toMatchObject({
        isUnderWay: false,
        workers: workers.map(() => ({ standing: 'eligible' })),
      });
    }
  });

  it('that stands still for two minutes is none, until a worker comes or goes again', () => {
    const rollout = rolloutWith(mixed);
    rollout.look(all, 1_000);
    expect(rollout.look(all, 120_000).isUnderWay).toBe(true);
    expect(rollout.look(all, 121_000).isUnderWay).toBe(false);
    expect(rollout.look([...all, seen('new2')], 122_000).isUnderWay).toBe(true);
  });

  it.each([1, 2, 3])('of 10 pods, %i at a time, moves each of 100 shards once', (surge) => {
    const places: Record<string, PodPlace> = {};
    const rollout = rolloutWith(places);
    let olds = Array.from({ length: 10 }, (_, i) => `old${i}`);
    const news: string[] = [];
    let leases: PlannedLease[] = Array.from({ length: 100 }, (_, i) => held(`s${i}`, `old${i % 10}`));
    const moves: Move[] = [];
    const round = (leaving: readonly string[], nowMs: number): void => {
      for (const id of olds) places[id] = place({ isOutdated: news.length > 0 });
      const states = olds.map((id) => seen(id, leaving.includes(id) ? 'draining' : 'active'));
      const { workers, isUnderWay } = rollout.look([...states, ...news.map((id) => seen(id))], nowMs);
      const made = plan(leases, workers, { withoutBalance: isUnderWay });
      leases = carriedOut(leases, made);
      moves.push(...made);
    };
    for (let nowMs = 0; olds.length > 0; nowMs += 10_000) {
      for (let i = 0; i < surge && news.length < 10; i++) {
        news.push(`new${news.length}`);
        places[`new${news.length - 1}`] = place();
      }
      round([], nowMs);
      const leaving = olds.slice(0, surge);
      round(leaving, nowMs + 5_000);
      olds = olds.slice(surge);
    }
    round([], 300_000);
    expect(new Set(moves.map((move) => move.key)).size).toBe(100);
    expect(moves).toHaveLength(100);
    for (const id of news) expect(leases.filter((one) => ownerOf(one) === id)).toHaveLength(10);
  });
});
