/** The contract of resharding: split, merge, UpdateShardCount, and reading across the end of a shard. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateStreamCommand,
  MergeShardsCommand,
  type Shard,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import type { ContractCase } from './contract-case.ts';
import { errorName, type StreamScene, shardNumber, shardNumbers, textsOf, untilCaught } from './stream-scene.ts';

const QUARTER = (2n ** 126n).toString();

export interface ReshardedStream {
  streamName: string;
  beforeSplit: Date;
  afterSplit: Date;
}

/** Two shards, the first of which was split into shards 2 and 3. */
export async function reshardedStream(scene: StreamScene): Promise<ReshardedStream> {
  const streamName = await scene.stream(2);
  const beforeSplit = new Date();
  await pause(10);
  await scene.client.send(split(streamName, 0, QUARTER));
  await scene.untilActive(streamName);
  await pause(10);
  return { streamName, beforeSplit, afterSplit: new Date() };
}

function shardId(index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`;
}

function split(StreamName: string, index: number, NewStartingHashKey: string): SplitShardCommand {
  return new SplitShardCommand({ StreamName, ShardToSplit: shardId(index), NewStartingHashKey });
}

function merge(StreamName: string, index: number, adjacent: number): MergeShardsCommand {
  return new MergeShardsCommand({ StreamName, ShardToMerge: shardId(index), AdjacentShardToMerge: shardId(adjacent) });
}

function scale(StreamName: string, TargetShardCount: number): UpdateShardCountCommand {
  return new UpdateShardCountCommand({ StreamName, TargetShardCount, ScalingType: 'UNIFORM_SCALING' });
}

function isClosed(shard: Shard): boolean {
  return shard.SequenceNumberRange?.EndingSequenceNumber !== undefined;
}

export const RESHARD_CASES: readonly ContractCase[] = [
  {
    id: 'split-lineage',
    title: 'a split closes its parent and gives it two children that share its range',
    async observe(scene) {
      const { streamName } = await reshardedStream(scene);
      return (await scene.shards(streamName)).map((shard) => ({
        index: shardNumber(shard.ShardId),
        parent: shard.ParentShardId && shardNumber(shard.ParentShardId),
        start: shard.HashKeyRange?.StartingHashKey,
        isClosed: isClosed(shard),
      }));
    },
    expected: [
      { index: 0, parent: undefined, start: '0', isClosed: true },
      { index: 1, parent: undefined, start: (2n ** 127n).toString(), isClosed: false },
      { index: 2, parent: 0, start: '0', isClosed: false },
      { index: 3, parent: 0, start: QUARTER, isClosed: false },
    ],
  },
  {
    id: 'split-sequence',
    title: "a child's records have greater sequence numbers than its parent's, and arrive no earlier",
    async observe(scene) {
      const name = await scene.stream();
      const [parent] = await scene.put(name, ['parent']);
      await scene.client.send(split(name, 0, QUARTER));
      await scene.untilActive(name);
      const [child] = await scene.put(name, ['child'], '0');
      const read = async (id: string) =>
        (await scene.read(await scene.iterator(name, 'TRIM_HORIZON', { ShardId: id }))).Records?.[0];
      const [inParent, inChild] = [await read(shardId(0)), await read(shardId(1))];
      return [
        shardNumber(child?.ShardId),
        BigInt(child!.SequenceNumber!) > BigInt(parent!.SequenceNumber!),
        inChild!.ApproximateArrivalTimestamp! >= inParent!.ApproximateArrivalTimestamp!,
      ];
    },
    expected: [1, true, true],
  },
  {
    id: 'shard-end',
    title: 'a closed shard is read to its end: no next iterator, and its children are named',
    async observe(scene) {
      const name = await scene.stream();
      await scene.put(name, ['a', 'b']);
      const beforeSplit = await scene.iterator(name, 'TRIM_HORIZON');
      await scene.client.send(split(name, 0, QUARTER));
      await scene.untilActive(name);
      const texts: string[] = [];
      let next: string | undefined = beforeSplit;
      let children: number[] | undefined;
      for (let reads = 0; next && reads < 5; reads += 1) {
        const output = await scene.read(next);
        texts.push(...textsOf(output));
        next = output.NextShardIterator ?? undefined;
        children = output.ChildShards && shardNumbers(output.ChildShards);
      }
      return { texts, isEnded: next === undefined, children };
    },
    expected: { texts: ['a', 'b'], isEnded: true, children: [1, 2] },
  },
  {
    id: 'latest-on-closed',
    title: 'LATEST on a closed shard is its end',
    async observe(scene) {
      const name = await scene.stream();
      await scene.put(name, ['a']);
      await scene.client.send(split(name, 0, QUARTER));
      await scene.untilActive(name);
      const output = await scene.read(await scene.iterator(name, 'LATEST'));
      return [textsOf(output), output.NextShardIterator ?? 'end'];
    },
    expected: [[], 'end'],
  },
  {
    id: 'read-while-updating',
    title: 'reading and writing work while a stream is UPDATING, a second reshard does not',
    observe: (scene) =>
      untilCaught(
        async () => {
          const name = await scene.stream();
          await scene.client.send(split(name, 0, QUARTER));
          const [second, [result], status] = await Promise.all([
            errorName(scene.client.send(split(name, 0, QUARTER))),
            scene.put(name, ['a']),
            scene.status(name),
          ]);
          return [second, result?.ErrorCode ?? 'written', status];
        },
        ([, , status]) => status === 'UPDATING',
      ),
    expected: ['ResourceInUseException', 'written', 'UPDATING'],
  },
  {
    id: 'split-refusals',
    title: 'a split is refused of an unknown shard, of a closed one, and at the edge of the range',
    async observe(scene) {
      const { streamName } = await reshardedStream(scene);
      return [
        await errorName(scene.client.send(split(streamName, 9, QUARTER))),
        await errorName(scene.client.send(split(streamName, 0, QUARTER))),
        await errorName(scene.client.send(split(streamName, 2, '1'))),
      ];
    },
    expected: ['ResourceNotFoundException', 'InvalidArgumentException', 'InvalidArgumentException'],
  },
  {
    id: 'merge-lineage',
    title: 'a merge closes two shards and gives them one child with both ranges and both parents',
    async observe(scene) {
      const name = await scene.stream(2);
      await scene.client.send(merge(name, 0, 1));
      await scene.untilActive(name);
      const shards = await scene.shards(name);
      const child = shards[2];
      return [
        shards.map(isClosed),
        shardNumber(child?.ParentShardId),
        shardNumber(child?.AdjacentParentShardId),
        child?.HashKeyRange,
      ];
    },
    expected: [
      [true, true, false],
      0,
      1,
      { StartingHashKey: '0', EndingHashKey: '340282366920938463463374607431768211455' },
    ],
  },
  {
    id: 'merge-refusals',
    title: 'a merge is refused of shards that are not adjacent and of unknown ones',
    async observe(scene) {
      const name = await scene.stream(3);
      return [
        await errorName(scene.client.send(merge(name, 0, 2))),
        await errorName(scene.client.send(merge(name, 0, 7))),
      ];
    },
    expected: ['InvalidArgumentException', 'ResourceNotFoundException'],
  },
  {
    id: 'update-shard-count',
    title: 'UpdateShardCount from two to four splits each shard in the middle',
    async observe(scene) {
      const name = await scene.stream(2);
      const outcome = await errorName(scene.client.send(scale(name, 4)));
      if (outcome !== 'accepted') return outcome;
      await scene.untilActive(name);
      const shards = await scene.shards(name);
      const open = shards.filter((shard) => !isClosed(shard));
      return {
        closed: shards.length - open.length,
        starts: open.map((shard) => BigInt(shard.HashKeyRange!.StartingHashKey!)).sort((a, b) => (a < b ? -1 : 1)),
      };
    },
    expected: { closed: 2, starts: [0n, 2n ** 126n, 2n ** 127n, 2n ** 126n + 2n ** 127n] },
  },
  {
    id: 'on-demand-reshard',
    title: "an on-demand stream's shards are not the caller's to change",
    async observe(scene) {
      const name = scene.newName();
      const mode = { StreamModeDetails: { StreamMode: 'ON_DEMAND' as const } };
      const created = await errorName(scene.client.send(new CreateStreamCommand({ StreamName: name, ...mode })));
      if (created !== 'accepted') return created;
      await scene.untilActive(name);
      return [
        await errorName(scene.client.send(split(name, 0, '12345'))),
        await errorName(scene.client.send(scale(name, 8))),
      ];
    },
    expected: ['ValidationException', 'ValidationException'],
  },
];
