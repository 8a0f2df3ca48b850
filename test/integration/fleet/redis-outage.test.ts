/**
 * Redis stops answering, and Redis is restarted with its append-only file: nothing is lost, nothing is doubled, the lag
 * shows, and nobody spins. The long form: `OUTAGE_SECONDS=20 npx vitest run --project integration ...`.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOnPath } from '../../../local/redis/start.ts';
import type { Stage } from '../../../local/stage.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { numberFromEnvironment, produceFor, startLiveFleet, untilAllHeld } from '../../support/live-fleet.ts';

const OUTAGE_SECONDS = numberFromEnvironment('OUTAGE_SECONDS', 7);
const CLOCK_TICKS_PER_SECOND = 100;

describe.runIf(isOnPath('redis-server'))('a Redis that goes away', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startLiveFleet({ workers: 2, shards: 4 });
    await untilAllHeld(stage);
  });
  afterAll(async () => {
    await stage.abort();
  });

  it(`is waited for while it hangs for ${OUTAGE_SECONDS} s: exact counts, visible lag, idle CPU`, {
    timeout: 180_000,
  }, async () => {
    // Prepare
    const redis = stage.servers.children.find((child) => child.name === 'redis')!;
    const production = produceFor(stage, OUTAGE_SECONDS + 8, 800, 5);
    await stage.untilCounted(500, 20_000, 0);

    // Act
    redis.kill('SIGSTOP');
    await systemClock.sleep(1_500);
    const cpuBefore = cpuSecondsOfWorkers(stage);
    await systemClock.sleep((OUTAGE_SECONDS - 2) * 1_000);
    const cpu = cpuSecondsOfWorkers(stage) - cpuBefore;
    const lag = await lagAbove(stage, OUTAGE_SECONDS / 3);
    redis.kill('SIGCONT');
    const truth = await production;
    const counted = await stage.untilCounted(truth.records, 60_000);

    // Assess
    const share = cpu / (OUTAGE_SECONDS - 2) / stage.fleet.workers.length;
    console.info(`hung ${OUTAGE_SECONDS} s: lag ${lag.toFixed(1)} s, ${(share * 100).toFixed(1)} % CPU per worker`);
    expect(counted).toEqual(truth);
    expect(lag).toBeGreaterThan(OUTAGE_SECONDS / 3);
    expect(share).toBeLessThan(0.25);
  });

  it('is waited for while it is restarted with its append-only file', { timeout: 180_000 }, async () => {
    // Prepare
    const before = await stage.observer.counts();
    const production = produceFor(stage, 10, 800, 6);
    await stage.untilCounted(before.records + 500, 20_000, 0);

    // Act
    await stage.servers.restartRedis(2_000);
    const truth = await production;
    const counted = await stage.untilCounted(before.records + truth.records, 60_000);

    // Assess: two productions share the ledger, so only sums of judgements are comparable
    expect(counted.records).toBe(before.records + truth.records);
    expect(counted.undecodable).toBe(before.undecodable + truth.undecodable);
    expect(counted.fresh).toBe(before.fresh + truth.fresh);
  });
});

/** User and system time of all workers so far, from /proc: Linux only, like the machine that runs this. */
function cpuSecondsOfWorkers(stage: Stage): number {
  return stage.fleet.workers.reduce((total, { child }) => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return total + (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  }, 0);
}

/** The greatest lag that a worker reports, once it is above `seconds`; or what it is when a few looks did not show that. */
async function lagAbove(stage: Stage, seconds: number): Promise<number> {
  let lag = 0;
  for (let look = 0; look < 10 && lag <= seconds; look++) {
    await Promise.all(stage.fleet.workers.map((worker) => stage.observer.scrape(worker)));
    lag = Math.max(0, ...stage.observer.lags().values());
    await systemClock.sleep(200);
  }
  return lag;
}
