/** Workers that are ended on purpose, one of them and all of them: nothing is lost, and the next ones go on where they were. */
import { UpdateShardCountCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Stage } from '../../../local/stage.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { leasesOf, produceFor, startLiveFleet, untilAllHeld } from '../../support/live-fleet.ts';

/** A handoff takes a few round trips; the bound is far above them, so that a busy machine fails no build. */
const READ_AGAIN_WITHIN_MS = 5_000;

let stage: Stage;

beforeAll(async () => {
  const settings = { LIST_SHARDS_MS: '1000', CHECKPOINT_MS: '300', SETTLE_MS: '500' };
  stage = await startLiveFleet({ workers: 2, shards: 4, settings });
  await untilAllHeld(stage, 50_000);
});
afterAll(() => stage.abort());

/** Does it say that it is ready? Undefined = it does not answer any more. */
async function isReady(url: string): Promise<boolean | undefined> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return undefined;
  }
}

it('a worker that gets SIGTERM is ready no more, hands its shards over within seconds, and exits with 0', async () => {
  // Prepare
  const production = produceFor(stage, 5, 600, 41);
  await clock.sleep(1_500);
  const [staying, victim] = stage.fleet.workers;
  const given = await vi.waitFor(
    async () => {
      const leases = await leasesOf(stage, victim!);
      expect(leases.filter((lease) => lease.checkpointOwner === undefined)).toHaveLength(2);
      return leases;
    },
    { timeout: 20_000, interval: 100 },
  );
  expect(await isReady(victim!.httpUrl)).toBe(true);

  // Act
  const askedMs = clock.monotonicMs();
  const ended = stage.fleet.scale(1).then(() => 'ended' as const);
  const answers: (boolean | undefined)[] = [];
  while ((await Promise.race([ended, clock.sleep(20)])) !== 'ended') answers.push(await isReady(victim!.httpUrl));
  const endedMs = clock.monotonicMs() - askedMs;
  const held = await leasesOf(stage, staying!);
  const truth = await production;
  const counted = await stage.untilCounted(truth.records, 30_000, 500);

  // Assess
  console.info(`a worker with two shards ended ${Math.round(endedMs)} ms after SIGTERM`);
  expect(endedMs).toBeLessThan(READ_AGAIN_WITHIN_MS);
  expect(answers.slice(answers.findIndex((answer) => answer !== true))).not.toContain(true);
  expect(held).toHaveLength(4);
  expect(held.every((lease) => lease.checkpointOwner === undefined)).toBe(true);
  // A planned move raises the generation by one: nobody was forced out.
  for (const { key, generation } of given) {
    expect(held.find((lease) => lease.key === key)?.generation).toBe(generation + 1);
  }
  expect(counted).toEqual(truth);
});

it('a fleet scaled to 0 reads on from its checkpoints through two doublings and a halving that came meanwhile', async () => {
  // Prepare
  const before = await stage.observer.counts();
  await stage.fleet.scale(0);
  // A lease may have been given back to the last worker before the controller knew that it was leaving: it is gone.
  const owners = (await stage.stores.leases.readAll()).flatMap(({ owner }) => owner ?? []);
  expect(await stage.stores.workers.readWorkers(owners)).toEqual([]);

  // Act
  const production = produceFor(stage, 3, 600, 42);
  for (const TargetShardCount of [8, 16, 8]) {
    await clock.sleep(400);
    const resized = { StreamName: stage.stream, TargetShardCount, ScalingType: 'UNIFORM_SCALING' as const };
    await stage.kinesis.send(new UpdateShardCountCommand(resized));
    await stage.untilActive();
  }
  const truth = await production;
  await stage.fleet.scale(2);
  const counted = await stage.untilCounted(before.records + truth.records, 40_000, 500);

  // Assess
  expect(counted.records).toBe(before.records + truth.records);
  expect(counted.duplicate - before.duplicate).toBeGreaterThanOrEqual(truth.duplicate);
  await untilAllHeld(stage, 30_000);
  const leases = await stage.stores.leases.readAll();
  const finished = leases.filter((lease) => lease.checkpoint.kind === 'SHARD_END');
  expect(finished).toHaveLength(4 + 8 + 16);
  expect(leases).toHaveLength(4 + 8 + 16 + 8);
});
