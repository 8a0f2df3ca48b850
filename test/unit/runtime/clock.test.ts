/** The clock with an offset: only wall time is off. */
import { describe, expect, it } from 'vitest';
import { clockWithOffset, systemClock } from '../../../runtime/clock.ts';

const TEN_MINUTES_MS = 600_000;

describe('clockWithOffset', () => {
  it.each([TEN_MINUTES_MS, -TEN_MINUTES_MS])('moves wall time by %i ms and no duration', (offsetMs) => {
    const clock = clockWithOffset(offsetMs);
    expect(Math.abs(clock.wallMs() - systemClock.wallMs() - offsetMs)).toBeLessThan(1_000);
    expect(Math.abs(clock.monotonicMs() - systemClock.monotonicMs())).toBeLessThan(1_000);
  });

  it('is the system clock itself when nothing is added', () => {
    expect(clockWithOffset(0)).toBe(systemClock);
  });
});
