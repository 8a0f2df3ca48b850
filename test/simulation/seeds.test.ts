import { describe, expect, it } from 'vitest';
import { type RareEvent, RareEventCounts } from './rare-events.ts';
import { simulate } from './simulation.ts';

/** More of them: npm run simulate -- --runs 1000. */
const SEEDS = 60;
const SEEDS_PER_TEST = 15;
const { counts: seen } = new RareEventCounts();

describe('a simulated fleet', () => {
  const firsts = Array.from({ length: SEEDS / SEEDS_PER_TEST }, (_, i) => 1 + i * SEEDS_PER_TEST);

  it.each(firsts)(`keeps every promise in ${SEEDS_PER_TEST} worlds of faults, from seed %i on`, async (first) => {
    for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
      const { violation, rare } = await simulate({ seed });

      for (const event of Object.keys(rare) as RareEvent[]) seen[event] += rare[event];
      expect(violation, `seed ${seed}: npm run simulate -- --seed ${seed}`).toBeUndefined();
      // Between two runs the test runner has its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('saw, in those worlds, every kind of loss and of mending', () => {
    for (const [event, times] of Object.entries(seen)) expect(times, event).toBeGreaterThan(SEEDS / 10);
  });

  it('counts everything without faults, and rests soon after the last record', async () => {
    const { violation, records } = await simulate({ seed: 1, isKind: true });

    expect(violation).toBeUndefined();
    expect(records).toBeGreaterThan(100);
  });

  it('does the same again with the same seed, and something else with another', async () => {
    const first = await simulate({ seed: 11 });
    const again = await simulate({ seed: 11, isTraced: true });
    const other = await simulate({ seed: 12 });

    expect(again.hash).toBe(first.hash);
    expect(again.steps).toBe(first.steps);
    expect(again.lines.length).toBeGreaterThan(1_000);
    expect(other.hash).not.toBe(first.hash);
  });
});
