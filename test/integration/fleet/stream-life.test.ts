/** A whole fleet whose lease rows and stream change under its feet: nothing is lost, nothing is counted twice. */
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  ListShardsCommand,
  MergeShardsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Lease } from '../../../lease/lease.ts';
import { scrape, sum } from '../../../local/scrape.ts';
import type { Stage } from '../../../local/stage.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { produceFor, startLiveFleet, until, untilAllHeld } from '../../support/live-fleet.ts';

let stage: Stage;
const settings = { LIST_SHARDS_MS: '1000', LEASE_SCAN_MS: '1000', CHECKPOINT_MS: '500', ON_STREAM_RECREATED: 'reset' };

beforeAll(async () => {
  stage = await startLiveFleet({ workers: 2, shards: 2, settings });
  await untilAllHeld(stage, 50_000);
});
afterAll(() => stage.abort());

async function controllerMetric(series: string): Promise<number> {
  return sum((await scrape(stage.fleet.controllers[0]!.httpUrl)) ?? [], `kinesis_fleet_${series}`);
}

it('a lease row deleted by hand while its shard is read comes back, and the counts stay exact', async () => {
  const before = await stage.observer.counts();
  const production = produceFor(stage, 6, 400, 31);
  await clock.sleep(2_000);

  const [victim] = await stage.stores.leases.readAll();
  for (let removed = false; !removed; ) {
    const row: Lease | undefined = await stage.stores.leases.read(victim!.key);
    removed = row === undefined || (await stage.stores.leases.remove(row)).won;
  }
  const truth = await production;
  const counted = await stage.untilCounted(before.records + truth.records, 30_000);

  expect(counted.records).toBe(truth.records);
  expect(await controllerMetric('leases_recreated_total')).toBe(1);
  const isAbove = async (): Promise<boolean> => {
    const row = await stage.stores.leases.read(victim!.key);
    // The same worker may have got it again, in the generation that it had: a generation has one owner for ever.
    const lowest = victim!.generation + (row?.owner === victim!.owner ? 0 : 1);
    return row !== undefined && row.generation >= lowest;
  };
  expect(await until(isAbove, 30_000)).toBe(true);
});

it('splits and a merge, parents on two workers, are read in the order of the generations', async () => {
  const before = await stage.observer.counts();
  const production = produceFor(stage, 8, 400, 32);
  const StreamName = stage.stream;
  await clock.sleep(1_000);

  const [ShardToSplit] = ['shardId-000000000000'];
  const half = String(2n ** 126n);
  await stage.kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey: half }));
  await stage.untilActive();
  const { Shards = [] } = await stage.kinesis.send(new ListShardsCommand({ StreamName }));
  const children = Shards.filter((shard) => shard.ParentShardId === ShardToSplit).map((shard) => shard.ShardId);
  const [ShardToMerge, AdjacentShardToMerge] = children;
  await stage.kinesis.send(new MergeShardsCommand({ StreamName, ShardToMerge, AdjacentShardToMerge }));
  const truth = await production;
  const counted = await stage.untilCounted(before.records + truth.records, 40_000);

  expect(counted.records).toBe(before.records + truth.records);
  await untilAllHeld(stage, 30_000);
  const leases = await stage.stores.leases.readAll();
  const finished = leases.filter((lease) => lease.checkpoint.kind === 'SHARD_END').map((lease) => lease.shardId);
  expect(finished.toSorted((a, b) => (a < b ? -1 : 1))).toEqual([ShardToSplit, ...children]);
});

it('a stream that was deleted and created again is begun at its beginning where the settings say so', async () => {
  const before = await stage.observer.counts();
  const StreamName = stage.stream;
  await stage.kinesis.send(new DeleteStreamCommand({ StreamName }));
  // The creation time, by which a stream is told from its predecessor, has whole seconds.
  await clock.sleep(1_500);
  expect(
    await until(async () => {
      try {
        await stage.kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 3 }));
        return true;
      } catch {
        return false;
      }
    }, 10_000),
  ).toBe(true);
  await stage.untilActive();
  const truth = await stage.produce({
    records: 600,
    ratePerSecond: 600,
    seed: 33,
    duplicateShare: 0.05,
    garbageShare: 0,
  });
  const counted = await stage.untilCounted(before.records + truth.records, 40_000);

  expect(counted.records).toBe(before.records + truth.records);
  expect(await controllerMetric('stream_resets_total')).toBe(1);
  const epochs = new Set((await stage.stores.leases.readAll()).map(({ key }) => key.split(':')[2]));
  expect(epochs.size).toBe(1);
}, 90_000);
