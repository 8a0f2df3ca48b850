import { describe, expect, it } from 'vitest';
import { ClockSkew } from '../../../runtime/clock-skew.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A call takes `tookMs`, on a host whose clock is `aheadMs` ahead of the server's. */
function worldWithClock() {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(
    'info',
    {},
    {
      write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>),
    },
  );
  const skew = new ClockSkew(clock, logger);
  const call = async (aheadMs: number, tookMs = 20): Promise<void> => {
    const answered = skew.asked();
    const serverMs = clock.wallMs() - aheadMs;
    await clock.advance(tookMs);
    answered(Math.floor(serverMs / 1_000) * 1_000);
  };
  return { skew, call, lines };
}

describe("this host's wall clock", () => {
  it.each([600_000, -600_000])(
    'is wrong by %d ms: that is a condition, said once and taken back once',
    async (aheadMs) => {
      const { skew, call, lines } = worldWithClock();

      await call(aheadMs);
      await call(aheadMs);
      const whileWrong = skew.condition;
      await call(0);

      expect(whileWrong).toEqual({ ClockSkewed: { aheadSeconds: expect.closeTo(aheadMs / 1_000, -1) } });
      expect(skew.condition).toEqual({});
      expect(lines.map(({ level }) => level)).toEqual(['warn', 'info']);
    },
  );

  it('is not wrong and right in turns where whole seconds make it look more and less from call to call', async () => {
    const { skew, call, lines } = worldWithClock();

    for (let i = 0; i < 20; i++) await call(31_000, 20 + 130 * i);
    for (let i = 0; i < 20; i++) await call(29_500, 20 + 130 * i);

    expect(skew.condition).toHaveProperty('ClockSkewed');
    expect(lines).toHaveLength(1);
  });

  it('is not blamed for a call that took a minute, nor for half a second, nor where the answer tells no time', async () => {
    const { skew, call, lines } = worldWithClock();

    await call(0, 60_000);
    await call(500);
    await call(-500);
    skew.asked()(undefined);

    expect(skew.condition).toEqual({});
    expect(Math.abs(skew.aheadSeconds)).toBeLessThanOrEqual(1);
    expect(lines).toEqual([]);
  });
});
