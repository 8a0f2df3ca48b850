/** Plans follow from their seed, play the whole deck, and leave what the judgement needs alone. */
import { describe, expect, it } from 'vitest';
import { DECK } from './deck.ts';
import { describeFault, durationMs } from './fault.ts';
import { makePlan, type PlanOptions } from './plan.ts';

const OPTIONS: PlanOptions = {
  ...{ seed: 1, durationMs: 600_000, leaseMs: 4_000, leaderLeaseMs: 3_000, workers: 3, controllers: 2, shards: 4 },
  gapMs: [1_500, 4_500],
};

describe('makePlan', () => {
  it('gives the same plan for the same seed, and another one for another seed', () => {
    expect(makePlan(OPTIONS)).toEqual(makePlan(OPTIONS));
    expect(makePlan({ ...OPTIONS, seed: 2 })).not.toEqual(makePlan(OPTIONS));
  });

  it.each([1, 2, 3])('plays every card at least twice in ten minutes (seed %i)', (seed) => {
    const { faults } = makePlan({ ...OPTIONS, seed });
    const rare = DECK.filter(({ name }) => faults.filter(({ card }) => card === name).length < 2);
    expect(rare.map(({ name }) => name)).toEqual([]);
  });

  it('is over in time, in order, and readable', () => {
    const { faults } = makePlan(OPTIONS);
    expect(faults.every(({ atMs, fault }) => atMs + durationMs(fault) <= OPTIONS.durationMs)).toBe(true);
    expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
    expect(faults.every(({ fault }) => describeFault(fault).length > 10)).toBe(true);
  });

  it.each([1, 2, 3])('leaves the fleet no long rest (seed %i)', (seed) => {
    const times = [0, ...makePlan({ ...OPTIONS, seed }).faults.map(({ atMs }) => atMs), OPTIONS.durationMs];
    const rests = times.slice(1).map((atMs, i) => atMs - times[i]!);
    expect(Math.max(...rests)).toBeLessThan(15_000);
  });

  it('never ends the first worker and the first controller, by whose memory a run is judged', () => {
    const { faults } = makePlan(OPTIONS);
    const ended = faults.flatMap(({ fault }) =>
      fault.kind === 'kill' || fault.kind === 'terminate' ? [fault.slot] : [],
    );
    expect(ended.length).toBeGreaterThan(5);
    expect(ended.filter((slot) => slot.endsWith('-1'))).toEqual([]);
  });

  it('starts processes whose clocks are ten minutes early, ten minutes late, and right', () => {
    const offsets = makePlan(OPTIONS).faults.flatMap(({ fault }) =>
      'clockOffsetMs' in fault ? [fault.clockOffsetMs] : [],
    );
    expect(new Set(offsets)).toEqual(new Set([-600_000, 0, 600_000]));
  });
});
