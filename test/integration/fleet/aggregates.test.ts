/**
 * Aggregated records through a whole fleet: the producer packs logins with their copies and garbage, workers are killed
 * in the middle, and the counts equal the producer's truth.
 */
import { expect, it } from 'vitest';
import type { Stage } from '../../../local/stage.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { startLiveFleet, untilAllHeld } from '../../support/live-fleet.ts';

it('counts packed logins exactly although workers are killed in the middle of aggregates', async () => {
  // Prepare
  const stage = await startLiveFleet({ workers: 2, shards: 2, settings: { CHECKPOINT_MS: '200', SETTLE_MS: '200' } });
  try {
    await untilAllHeld(stage);
    const production = stage.produce({
      ...{ records: 14_000, ratePerSecond: 3_500, seed: 11, duplicateShare: 0.1, garbageShare: 0.01 },
      aggregate: 50,
    });

    // Act
    for (let kill = 0; kill < 2; kill++) {
      await systemClock.sleep(1_700);
      // Where a run ends is by chance: now, while records flow, some checkpoint has a sub-sequence number soon.
      if (kill === 0) await expect.poll(() => hasSubSequence(stage), { timeout: 20_000 }).toBe(true);
      await stage.fleet.kill(stage.fleet.workers[0]!);
      await stage.fleet.scale(2);
    }
    const truth = await production;
    const counted = await stage.untilCounted(truth.records, 40_000);

    // Assess
    expect(counted).toEqual(truth);
  } finally {
    await stage.abort();
  }
}, 120_000);

async function hasSubSequence({ stores }: Stage): Promise<boolean> {
  const leases = await stores.leases.readAll();
  return leases.some(({ checkpoint }) => checkpoint.kind === 'AFTER' && !checkpoint.position.endsWith('.00000000'));
}
