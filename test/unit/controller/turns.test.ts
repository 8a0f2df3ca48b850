import { describe, expect, it } from 'vitest';
import type { FleetView } from '../../../controller/fleet-view.ts';
import { inParallel } from '../../../controller/in-parallel.ts';
import { LeaseCache } from '../../../controller/lease-cache.ts';
import type { Reconciler } from '../../../controller/reconciler.ts';
import { Turns } from '../../../controller/turns.ts';
import { Wakeup } from '../../../controller/wakeup.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';

const leases = new LeaseCache({ store: new FakeLeaseStore(), onLost: () => undefined });
const view: FleetView = { leases, fleet: undefined, workers: undefined, listing: undefined, hashRangeHoles: undefined };
const term = new AbortController().signal;

function createTurns(clock: FakeClock): { turns: Turns; errors: string[] } {
  const errors: string[] = [];
  const onError = (reconciler: string): number => errors.push(reconciler);
  return { errors, turns: new Turns({ clock, logger: silentLogger, turnMs: 5_000, onEnd: () => undefined, onError }) };
}

describe('a turn', () => {
  it('that fails is counted, and the next one is given as ever', async () => {
    const { turns, errors } = createTurns(new FakeClock());
    let calls = 0;
    const reconciler: Reconciler = {
      name: 'r',
      reconcile: () => (++calls === 1 ? Promise.reject(new Error('injected')) : Promise.resolve()),
    };
    expect(await turns.take(reconciler, view, term)).toBe(false);
    expect(await turns.take(reconciler, view, term)).toBe(true);
    expect(errors).toEqual(['r']);
  });

  it('that takes too long is aborted and left behind, and none of the same is given until it ends', async () => {
    const clock = new FakeClock();
    const { turns } = createTurns(clock);
    let end: () => void = () => undefined;
    let calls = 0;
    let aborted = false;
    const reconciler: Reconciler = {
      name: 'slow',
      reconcile: (_view, signal) => {
        calls++;
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return new Promise((resolve) => {
          end = resolve;
        });
      },
    };
    expect(await clock.runUntil(turns.take(reconciler, view, term))).toBe(false);
    expect([clock.monotonicMs(), aborted]).toEqual([5_000, true]);
    expect(await turns.take(reconciler, view, term)).toBe(false);
    expect(calls).toBe(1);
    end();
    await clock.flush();
    void turns.take(reconciler, view, term);
    expect(calls).toBe(2);
  });
});

describe('a wake-up', () => {
  it('ends the wait early, many of them as one, but never before the minimum gap', async () => {
    const clock = new FakeClock();
    const wakeup = new Wakeup(clock, 20);
    for (let i = 0; i < 10; i++) wakeup.now();
    await clock.runUntil(wakeup.wait(1_000, term));
    expect(clock.monotonicMs()).toBe(20);
    const second = wakeup.wait(1_000, term);
    await clock.advance(500);
    wakeup.now();
    await clock.runUntil(second);
    expect(clock.monotonicMs()).toBe(520);
    await clock.runUntil(wakeup.wait(1_000, term));
    expect(clock.monotonicMs()).toBe(1_520);
  });

  it('is not needed when the term ends', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const waiting = new Wakeup(clock, 20).wait(1_000, stop.signal);
    await clock.advance(100);
    stop.abort();
    await clock.runUntil(waiting);
    expect(clock.monotonicMs()).toBe(100);
  });
});

describe('calls in parallel', () => {
  it('are at most as many as allowed, all made, and fail together at the end', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const call = async (item: number): Promise<void> => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      if (item === 2) throw new Error('injected');
      done.push(item);
    };
    await expect(inParallel([1, 2, 3, 4, 5, 6, 7], 3, call)).rejects.toThrow('injected');
    expect([most, done.length]).toEqual([3, 6]);
  });
});
