/**
 * What all workers seem to do at once is not their doing: Redis goes and comes back, and every presence with it, or the
 * controller or DynamoDB hangs, each for longer than a lease lasts, and no lease changes its owner, then or afterwards.
 * PAUSE_SECONDS says for how long.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Child } from '../../../local/child.ts';
import { isOnPath } from '../../../local/redis/start.ts';
import type { Stage } from '../../../local/stage.ts';
import type { FleetCounts } from '../../../pipelines/fleet-counts.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { numberFromEnvironment, produceFor, startLiveFleet, untilAllHeld } from '../../support/live-fleet.ts';

const LEASE_S = 3;
const PAUSE_S = numberFromEnvironment('PAUSE_SECONDS', LEASE_S + 1);
/** Long enough afterwards for a verdict that was only waiting to be reached. */
const AFTER_S = LEASE_S + 1;
const RATE = 200;
const CASES = 3;

describe.runIf(isOnPath('redis-server'))('no mass takeover', { timeout: 60_000 + 10_000 * PAUSE_S }, () => {
  let stage: Stage;
  let production: Promise<FleetCounts>;
  beforeAll(async () => {
    const settings = { LEASE_DURATION_MS: String(LEASE_S * 1_000), HEARTBEAT_MS: '500' };
    stage = await startLiveFleet({ workers: 4, shards: 8, settings });
    await untilAllHeld(stage);
    await systemClock.sleep(AFTER_S * 1_000);
    production = produceFor(stage, CASES * (PAUSE_S + AFTER_S), RATE, 7);
  });
  afterAll(async () => {
    await stage.abort();
  });

  const stopped = async (child: Child | undefined): Promise<void> => {
    child?.kill('SIGSTOP');
    await systemClock.sleep(PAUSE_S * 1_000);
    child?.kill('SIGCONT');
  };
  const server = (name: string): Child | undefined => stage.servers.children.find((child) => child.name === name);

  it.each<readonly [string, () => Promise<void>]>([
    ['Redis is restarted', () => stage.servers.restartRedis(PAUSE_S * 1_000)],
    ['the controller hangs', () => stopped(stage.fleet.controllers[0]?.child)],
    ['DynamoDB hangs', () => stopped(server('dynamodb'))],
  ])('%s: every lease stays where it is', async (_, hurt) => {
    const before = await ownersOf(stage);

    await hurt();
    await systemClock.sleep(AFTER_S * 1_000);

    expect(await ownersOf(stage)).toEqual(before);
  });

  it('and after all of them every record is counted once', async () => {
    const truth = await production;
    expect(await stage.untilCounted(truth.records, 30_000)).toEqual(truth);
  });
});

/** Each shard's owner and generation: a takeover changes both. */
async function ownersOf(stage: Stage): Promise<Record<string, string>> {
  const leases = await stage.stores.leases.readAll();
  return Object.fromEntries(leases.map(({ key, owner, generation }) => [key, `${owner} in generation ${generation}`]));
}
