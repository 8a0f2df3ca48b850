import { describe, expect, it } from 'vitest';
import { Liveness } from '../../../../controller/membership/liveness.ts';
import type { WorkerRow } from '../../../../lease/worker-store.ts';

const row = (id: string, beats: number): WorkerRow => ({
  ...{ id, beats, state: 'active', ordersVersion: 0 },
  load: { leases: 0, bytesPerSecond: 0 },
});
const create = (): Liveness =>
  new Liveness({ deadAfterMs: 11_000, graceMs: 200, heartbeatMs: 1_000, longestGapMs: 2_000 });
const present = (connection: number, ...ids: string[]) => ({ connection, present: new Set(ids) });

/** Two workers, both seen and present at time 0. */
function pair(): Liveness {
  const liveness = create();
  liveness.sawRows(['w1', 'w2'], [row('w1', 1), row('w2', 1)], 0);
  liveness.sawPresence(present(1, 'w1', 'w2'), 0);
  liveness.sawPresence(present(1, 'w1', 'w2'), 100);
  return liveness;
}

describe('a heartbeat', () => {
  it('that does not move for the lease duration and the margin means death, one read earlier it does not', () => {
    const liveness = create();
    for (let atMs = 0; atMs <= 10_000; atMs += 1_000) liveness.sawRows(['w1'], [row('w1', 5)], atMs);
    expect(liveness.deathOf('w1')).toBeUndefined();
    liveness.sawRows(['w1'], [row('w1', 5)], 11_000);
    expect(liveness.deathOf('w1')).toBe('heartbeat');
  });

  it('that moves again means life again', () => {
    const liveness = create();
    for (let atMs = 0; atMs <= 11_000; atMs += 1_000) liveness.sawRows(['w1'], [row('w1', 5)], atMs);
    liveness.sawRows(['w1'], [row('w1', 6)], 12_000);
    expect(liveness.deathOf('w1')).toBeUndefined();
  });

  it('is not missed while nobody read it: a controller that was paused, or had no table, kills nobody', () => {
    const liveness = create();
    liveness.sawRows(['w1'], [row('w1', 5)], 0);
    liveness.sawRows(['w1'], [row('w1', 5)], 60_000);
    expect(liveness.deathOf('w1')).toBeUndefined();
  });

  it('whose row is gone means that the worker left', () => {
    const liveness = create();
    liveness.sawRows(['w1'], [row('w1', 5)], 0);
    liveness.sawRows(['w1'], [], 1_000);
    expect(liveness.deathOf('w1')).toBe('gone');
  });
});

describe('presence', () => {
  it('that ends makes a suspect, whose row is read at once and again after the grace, and whose silence is death', () => {
    const liveness = pair();
    liveness.sawPresence(present(1, 'w2'), 500);
    expect(liveness.toRead(500)).toEqual(['w1']);
    liveness.sawRows(['w1'], [row('w1', 1)], 500);
    expect(liveness.deathOf('w1')).toBeUndefined();
    expect(liveness.toRead(600)).toEqual([]);
    liveness.sawPresence(present(1, 'w2'), 700);
    expect(liveness.toRead(700)).toEqual(['w1']);
    liveness.sawRows(['w1'], [row('w1', 1)], 700);
    expect(liveness.deathOf('w1')).toBe('presence');
    expect(liveness.deathOf('w2')).toBeUndefined();
  });

  it('does not kill in the beat that came just before death, only one grace later', () => {
    const liveness = pair();
    liveness.sawPresence(present(1, 'w2'), 500);
    liveness.sawRows(['w1'], [row('w1', 2)], 500);
    liveness.sawRows(['w1'], [row('w1', 2)], 650);
    expect(liveness.deathOf('w1')).toBeUndefined();
    expect(liveness.dueInMs(650)).toBe(50);
    liveness.sawRows(['w1'], [row('w1', 2)], 700);
    expect(liveness.deathOf('w1')).toBe('presence');
    expect(liveness.dueInMs(700)).toBe(Number.POSITIVE_INFINITY);
  });

  it('gives twice the grace to one that was seen to beat while it was absent', () => {
    const liveness = pair();
    liveness.sawPresence(present(1, 'w2'), 500);
    liveness.sawRows(['w1'], [row('w1', 2)], 500);
    liveness.sawRows(['w1'], [row('w1', 3)], 700);
    liveness.sawRows(['w1'], [row('w1', 3)], 1_050);
    expect(liveness.deathOf('w1')).toBeUndefined();
    liveness.sawRows(['w1'], [row('w1', 3)], 1_100);
    expect(liveness.deathOf('w1')).toBe('presence');
  });

  it('that ends though the worker beats on kills nobody, and is looked at less and less often', () => {
    const liveness = pair();
    let reads = 0;
    for (let atMs = 200; atMs < 20_000; atMs += 100) {
      liveness.sawPresence(present(1, 'w2'), atMs);
      const suspects = liveness.toRead(atMs);
      reads += suspects.length;
      // Its heart beats every 1,000 ms, and every 150 ms in the first second, while it tries to subscribe again.
      const beats = atMs < 1_200 ? Math.floor(atMs / 150) : 8 + Math.floor(atMs / 1_000);
      if (suspects.length > 0) liveness.sawRows(suspects, [row('w1', beats)], atMs);
      expect(liveness.deathOf('w1')).toBeUndefined();
    }
    expect(reads).toBeLessThan(30);
  });

  it('that comes back in time is forgotten', () => {
    const liveness = pair();
    liveness.sawPresence(present(1, 'w2'), 500);
    liveness.sawPresence(present(1, 'w1', 'w2'), 600);
    liveness.sawRows(['w1'], [row('w1', 1)], 800);
    expect(liveness.deathOf('w1')).toBeUndefined();
    expect(liveness.toRead(800)).toEqual([]);
  });

  it.each([
    ['when nobody is present', present(1)],
    ['on another connection', present(2, 'w2')],
    ['when there was no answer', undefined],
  ])('says nothing %s', (_when, answer) => {
    const liveness = pair();
    for (let atMs = 500; atMs < 2_000; atMs += 100) liveness.sawPresence(answer, atMs);
    liveness.sawRows(['w1', 'w2'], [row('w1', 1), row('w2', 1)], 1_900);
    expect(liveness.toRead(2_000)).toEqual([]);
    expect(liveness.deathOf('w1')).toBeUndefined();
  });

  it('says nothing about a worker that was never seen to be present', () => {
    const liveness = pair();
    liveness.sawRows(['w3'], [row('w3', 1)], 150);
    for (let atMs = 200; atMs < 2_000; atMs += 100) liveness.sawPresence(present(1, 'w1', 'w2'), atMs);
    liveness.sawRows(['w3'], [row('w3', 1)], 1_900);
    expect(liveness.deathOf('w3')).toBeUndefined();
  });
});
