/** The judgement of memory, with this very process as the one that is looked at. Linux only, like /proc. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_GROWTH, ProcessFigures } from './process-figures.ts';
import type { Life } from './slot.ts';

const MINUTE_MS = 60_000;
const STEP_MS = 10_000;
const GROWTH_BYTES = 256 * 1024 * 1024;

const own = { name: 'worker-1.1', child: { pid: process.pid, ended: undefined } } as Life;

function sampled(minutes: number, at: (minute: number) => void = () => undefined): ProcessFigures {
  const figures = new ProcessFigures();
  figures.born(own, 0);
  for (let nowMs = 0; nowMs <= minutes * MINUTE_MS; nowMs += STEP_MS) {
    at(nowMs / MINUTE_MS);
    figures.sample(nowMs);
  }
  return figures;
}

describe.runIf(existsSync('/proc/self/statm'))('ProcessFigures', () => {
  it('sees no growth in a process that stays as it is', () => {
    const [growth] = sampled(10).growths();
    expect(growth?.name).toBe('worker-1.1');
    expect(growth?.ratio).toBeLessThan(MAX_GROWTH);
  });

  it('sees the growth of a process between its fourth minute and its last three', () => {
    const held: Buffer[] = [];
    const figures = sampled(10, (minute) => {
      if (minute === 6) held.push(Buffer.alloc(GROWTH_BYTES, 1));
    });
    const [growth] = figures.growths();
    expect(held[0]?.length).toBe(GROWTH_BYTES);
    expect(growth!.lateBytes - growth!.earlyBytes).toBeGreaterThan(GROWTH_BYTES * 0.7);
    expect(growth?.ratio).toBeGreaterThan(MAX_GROWTH);
  });

  it('judges no process that lived for less than seven minutes', () => {
    expect(sampled(6).growths()).toEqual([]);
  });
});
