/** The contract of shards: hash ranges, ListShards and its filters. Resharding is in reshard-cases.ts. */
import { ListShardsCommand, type ShardFilter } from '@aws-sdk/client-kinesis';
import type { ContractCase } from './contract-case.ts';
import { reshardedStream } from './reshard-cases.ts';
import { errorName, shardNumbers } from './stream-scene.ts';

const FILTERS: Record<string, (splitAt: Date, now: Date) => ShardFilter> = {
  AT_LATEST: () => ({ Type: 'AT_LATEST' }),
  AT_TRIM_HORIZON: () => ({ Type: 'AT_TRIM_HORIZON' }),
  FROM_TRIM_HORIZON: () => ({ Type: 'FROM_TRIM_HORIZON' }),
  AFTER_SHARD_ID: () => ({ Type: 'AFTER_SHARD_ID', ShardId: 'shardId-000000000001' }),
  'AT_TIMESTAMP before the split': (beforeSplit) => ({ Type: 'AT_TIMESTAMP', Timestamp: beforeSplit }),
  'AT_TIMESTAMP after it': (_, now) => ({ Type: 'AT_TIMESTAMP', Timestamp: now }),
  'FROM_TIMESTAMP before the split': (beforeSplit) => ({ Type: 'FROM_TIMESTAMP', Timestamp: beforeSplit }),
  'FROM_TIMESTAMP after it': (_, now) => ({ Type: 'FROM_TIMESTAMP', Timestamp: now }),
};

export const SHARD_CASES: readonly ContractCase[] = [
  {
    id: 'uniform-ranges',
    title: 'the shards of a new stream share the 128-bit hash keys evenly, the last one takes the rest',
    async observe(scene) {
      const shards = await scene.shards(await scene.stream(3));
      return shards.map((shard) => [shard.HashKeyRange?.StartingHashKey, shard.HashKeyRange?.EndingHashKey]);
    },
    expected: [
      ['0', '113427455640312821154458202477256070484'],
      ['113427455640312821154458202477256070485', '226854911280625642308916404954512140969'],
      ['226854911280625642308916404954512140970', '340282366920938463463374607431768211455'],
    ],
  },
  {
    id: 'list-shards-pages',
    title: 'ListShards pages by MaxResults and NextToken',
    async observe(scene) {
      const name = await scene.stream(3);
      const first = await scene.client.send(new ListShardsCommand({ StreamName: name, MaxResults: 2 }));
      if (!first.NextToken) return [shardNumbers(first.Shards), 'no token'];
      const second = await scene.client.send(new ListShardsCommand({ NextToken: first.NextToken, MaxResults: 2 }));
      return [shardNumbers(first.Shards), shardNumbers(second.Shards), second.NextToken === undefined];
    },
    expected: [[0, 1], [2], true],
  },
  {
    id: 'list-shards-token-filter',
    title: "a page's token keeps the filter of the first page",
    async observe(scene) {
      const { streamName } = await reshardedStream(scene);
      const filter = { ShardFilter: { Type: 'AT_TRIM_HORIZON' as const } };
      const first = await scene.client.send(
        new ListShardsCommand({ StreamName: streamName, MaxResults: 1, ...filter }),
      );
      if (!first.NextToken) return [shardNumbers(first.Shards), 'no token'];
      const second = await scene.client.send(new ListShardsCommand({ NextToken: first.NextToken, MaxResults: 5 }));
      return [shardNumbers(first.Shards), shardNumbers(second.Shards)];
    },
    expected: [[0], [1]],
  },
  {
    id: 'list-shards-exclusive-start',
    title: 'ListShards starts after ExclusiveStartShardId',
    async observe(scene) {
      const name = await scene.stream(3);
      return shardNumbers(await scene.shards(name, { ExclusiveStartShardId: 'shardId-000000000001' }));
    },
    expected: [2],
  },
  {
    id: 'list-shards-refusals',
    title: 'ListShards refuses a token together with a name, and neither of both',
    async observe(scene) {
      const name = await scene.stream();
      return [
        await errorName(scene.client.send(new ListShardsCommand({ StreamName: name, NextToken: 'token' }))),
        await errorName(scene.client.send(new ListShardsCommand({}))),
      ];
    },
    expected: ['InvalidArgumentException', 'InvalidArgumentException'],
  },
  {
    id: 'list-shards-bad-token',
    title: 'ListShards refuses a token that it never gave',
    observe: (scene) => errorName(scene.client.send(new ListShardsCommand({ NextToken: 'token' }))),
    expected: 'InvalidArgumentException',
  },
  {
    id: 'list-shards-unknown',
    title: 'ListShards of an unknown stream says so',
    observe: (scene) => errorName(scene.shards('unknown')),
    expected: 'ResourceNotFoundException',
  },
  {
    id: 'filters',
    title: 'of two shards, the first of which was split, each filter of ListShards selects those that it names',
    async observe(scene) {
      const { streamName, beforeSplit, afterSplit } = await reshardedStream(scene);
      const selected: Record<string, number[]> = {};
      for (const [name, filterFor] of Object.entries(FILTERS)) {
        selected[name] = shardNumbers(
          await scene.shards(streamName, { ShardFilter: filterFor(beforeSplit, afterSplit) }),
        );
      }
      return selected;
    },
    expected: {
      AT_LATEST: [1, 2, 3],
      AT_TRIM_HORIZON: [0, 1],
      FROM_TRIM_HORIZON: [0, 1, 2, 3],
      AFTER_SHARD_ID: [2, 3],
      'AT_TIMESTAMP before the split': [0, 1],
      'AT_TIMESTAMP after it': [1, 2, 3],
      'FROM_TIMESTAMP before the split': [0, 1, 2, 3],
      'FROM_TIMESTAMP after it': [1, 2, 3],
    },
  },
];
