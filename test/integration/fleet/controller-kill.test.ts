/** The controller dies with kill -9: workers go on without it, and another one takes over. */
import { expect, it } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';
import { produceFor, startLiveFleet, untilAllHeld } from '../../support/live-fleet.ts';

it('workers go on counting without a controller, and a new one takes over and scales the fleet', async () => {
  // Prepare
  const stage = await startLiveFleet({ workers: 2, shards: 4 });
  try {
    await untilAllHeld(stage);
    const production = produceFor(stage, 12, 800, 3);
    await systemClock.sleep(1_500);

    // Act: no controller for a while
    const [controller] = stage.fleet.controllers;
    await stage.fleet.kill(controller!);
    const before = (await stage.observer.counts()).records;
    const without = await stage.untilCounted(before + 1_500, 15_000, 0);

    // Act: a new one, and a worker more, which only a leading controller can give shards to
    await Promise.all([stage.fleet.startController(), stage.fleet.scale(3)]);
    await systemClock.sleep(100);
    const takenOver = await untilEveryWorkerHolds(stage, 20_000);
    const truth = await production;
    const counted = await stage.untilCounted(truth.records, 30_000);

    // Assess
    expect(without.records).toBeGreaterThanOrEqual(before + 1_500);
    expect(takenOver).toBe(true);
    expect(counted).toEqual(truth);
  } finally {
    await stage.abort();
  }
});

async function untilEveryWorkerHolds(
  stage: Awaited<ReturnType<typeof startLiveFleet>>,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = systemClock.monotonicMs() + timeoutMs;
  while (systemClock.monotonicMs() < deadline) {
    const leases = await stage.stores.leases.readAll();
    if (stage.fleet.workers.every((worker) => leases.some((lease) => lease.owner?.startsWith(`${worker.name}-`))))
      return true;
    await systemClock.sleep(100);
  }
  return false;
}
