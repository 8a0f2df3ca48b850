/**
 * Workers are killed with kill -9 at random moments while records flow; the counts must equal the producer's truth.
 * The long form: `KILLS=50 SEED=7 npx vitest run --project integration test/integration/fleet/worker-kills.test.ts`.
 */
import { expect, it } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';
import { leasesOf, numberFromEnvironment, produceFor, startLiveFleet, untilAllHeld } from '../../support/live-fleet.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const KILLS = numberFromEnvironment('KILLS', 4);
const SEED = numberFromEnvironment('SEED', 1);
const SECONDS_PER_KILL = 3;

it(`counts equal the truth after ${KILLS} workers were killed in the middle of their work (seed ${SEED})`, {
  timeout: 120_000 + KILLS * 10_000,
}, async () => {
  // Prepare
  const random = seededRandom(SEED);
  const stage = await startLiveFleet({ workers: 3, shards: 4 });
  try {
    await untilAllHeld(stage);
    const production = produceFor(stage, 3 + KILLS * SECONDS_PER_KILL, 1_200, SEED);
    await systemClock.sleep(1_500);

    // Act
    let above = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await systemClock.sleep(200 + random.next() * 1_800);
      const victim = random.pick(stage.fleet.workers);
      const owned = await leasesOf(stage, victim);
      await stage.observer.look();
      await stage.fleet.kill(victim);
      if ((await stage.observer.shardsAboveCheckpoint(owned)).length > 0) above++;
      await stage.fleet.scale(3);
    }
    const truth = await production;
    const counted = await stage.untilCounted(truth.records, 60_000);

    // Assess
    const sight = await stage.observer.look();
    console.info(`${KILLS} kills, ${above} with records above the checkpoint, ${sight.replayed} records replayed`);
    expect(counted).toEqual(truth);
    expect(above).toBeGreaterThanOrEqual(Math.floor(KILLS * 0.5));
  } finally {
    await stage.abort();
  }
});
