/** What a worker waits for before it joins: here the fleet row, and a processor at rest. */
import { describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '../../../lease/worker-store.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { untilCalm, untilFleet } from '../../../worker/startup.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const ROW = {
  ...{ streamArn: 'arn:aws:kinesis:eu-west-1:1:stream/logins', streamCreationEpochSeconds: 1 },
  ...{ schemaVersion: SCHEMA_VERSION, hashSeed: '0'.repeat(32), workers: [] },
};

/** A process that gets the processor `lateMs(now)` too late. */
class LateClock extends FakeClock {
  lateMs: (nowMs: number) => number = () => 0;

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return super.sleep(ms + this.lateMs(this.monotonicMs()), signal);
  }
}

describe('a worker joins', () => {
  const neverAborts = new AbortController().signal;

  async function msUntilCalm(lateMs: (nowMs: number) => number): Promise<number> {
    const clock = new LateClock();
    clock.lateMs = lateMs;
    await clock.runUntil(untilCalm({ clock, signal: neverAborts }));
    return clock.monotonicMs();
  }

  it('a tenth of a second after its turns began to come on time', async () => {
    expect(await msUntilCalm(() => 0)).toBe(100);
    expect(await msUntilCalm((nowMs) => (nowMs < 300 ? 40 : 0))).toBe(400);
  });

  it('after a second on a machine that is never calm', async () => {
    const ms = await msUntilCalm(() => 15);
    expect(ms).toBeGreaterThanOrEqual(1_000);
    expect(ms).toBeLessThan(1_050);
  });

  it('not at all when it is told to stop meanwhile', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const calm = untilCalm({ clock, signal: stop.signal }).then(
      () => 'joined',
      (reason: unknown) => reason,
    );
    await clock.advance(50);
    stop.abort('told to stop');
    expect(await clock.runUntil(calm)).toBe('told to stop');
  });
});

describe('the fleet row', () => {
  it('of another schema version is waited for, in words, until it is of ours', async () => {
    const clock = new FakeClock();
    const said: string[] = [];
    const waits: (string | undefined)[] = [];
    const logger = createLogger('info', {}, { write: (line: string) => said.push(line) });
    const parts = { clock, logger, signal: new AbortController().signal, onWait: (what?: string) => waits.push(what) };
    let schemaVersion = 99;
    const readFleet = () => Promise.resolve({ ...ROW, schemaVersion });

    const fleet = untilFleet(parts, { readFleet }, 'logins');
    await clock.advance(60_000);
    const whileForeign = waits.at(-1);
    schemaVersion = SCHEMA_VERSION;
    await clock.runUntil(fleet);

    expect(whileForeign).toBe('fleet row');
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('has rows of version 99, this program knows version 1');
    expect(waits.at(-1)).toBeUndefined();
  });
});
