/** SIGNALS=off: no wake-ups and no presence. Everything works, slower: heartbeats and lease duration decide. */
import { expect, it } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';
import { produceFor, startLiveFleet, untilAllHeld } from '../../support/live-fleet.ts';

it('a fleet without signals hands over, takes over from a killed worker, and counts exactly', {
  timeout: 120_000,
}, async () => {
  // Prepare
  const settings = { SIGNALS: 'off', HEARTBEAT_MS: '500', LEASE_DURATION_MS: '3000' };
  const stage = await startLiveFleet({ workers: 2, shards: 3, settings });
  try {
    await untilAllHeld(stage);
    const production = produceFor(stage, 14, 600, 12);
    await systemClock.sleep(2_000);

    // Act
    await stage.fleet.kill(stage.fleet.workers[0]!);
    const diedMs = systemClock.monotonicMs();
    await untilAllHeld(stage);
    const tookMs = systemClock.monotonicMs() - diedMs;
    await stage.fleet.scale(3);
    await stage.fleet.scale(1);
    const truth = await production;
    const counted = await stage.untilCounted(truth.records, 30_000);

    // Assess
    console.info(`without signals the shards of a killed worker were held again after ${Math.round(tookMs)} ms`);
    expect(counted).toEqual(truth);
    expect(tookMs).toBeGreaterThan(1_500);
  } finally {
    await stage.abort();
  }
});
