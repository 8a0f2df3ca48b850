/** The contract of streams: states, descriptions, listing, settings. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  IncreaseStreamRetentionPeriodCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-kinesis';
import type { ContractCase } from './contract-case.ts';
import { errorName, type StreamScene, shardNumbers, untilCaught } from './stream-scene.ts';

export const STREAM_CASES: readonly ContractCase[] = [
  {
    id: 'create-states',
    title: 'a new stream is CREATING, then ACTIVE',
    observe: (scene) =>
      untilCaught(
        async () => {
          const name = scene.newName();
          await scene.client.send(new CreateStreamCommand({ StreamName: name, ShardCount: 1 }));
          const first = await scene.status(name);
          await scene.untilActive(name);
          return [first, await scene.status(name)];
        },
        ([first]) => first === 'CREATING',
      ),
    expected: ['CREATING', 'ACTIVE'],
  },
  {
    id: 'create-refusals',
    title: 'a stream is refused when its name is taken or ill-formed, or its shard count is zero',
    async observe(scene) {
      const taken = await scene.stream();
      return [
        await errorName(scene.client.send(new CreateStreamCommand({ StreamName: taken, ShardCount: 1 }))),
        await errorName(scene.client.send(new CreateStreamCommand({ StreamName: 'a b', ShardCount: 1 }))),
        await errorName(scene.client.send(new CreateStreamCommand({ StreamName: scene.newName(), ShardCount: 0 }))),
      ];
    },
    expected: ['ResourceInUseException', 'ValidationException', 'ValidationException'],
  },
  {
    id: 'on-demand',
    title: 'an on-demand stream starts with four shards',
    async observe(scene) {
      const name = scene.newName();
      const mode = { StreamModeDetails: { StreamMode: 'ON_DEMAND' as const } };
      const created = await errorName(scene.client.send(new CreateStreamCommand({ StreamName: name, ...mode })));
      if (created !== 'accepted') return created;
      await scene.untilActive(name);
      const summary = await summaryOf(scene, name);
      return [summary.OpenShardCount, summary.StreamModeDetails?.StreamMode];
    },
    expected: [4, 'ON_DEMAND'],
  },
  {
    id: 'summary',
    title: 'a summary tells status, retention, open shards, ARN and a true creation time',
    async observe(scene) {
      const startMs = Date.now();
      const name = await scene.stream(2);
      const summary = await summaryOf(scene, name);
      const createdMs = summary.StreamCreationTimestamp?.getTime() ?? 0;
      return {
        status: summary.StreamStatus,
        hours: summary.RetentionPeriodHours,
        shards: summary.OpenShardCount,
        isArn: summary.StreamARN === `arn:aws:kinesis:us-east-1:000000000000:stream/${name}`,
        isTimely: Math.abs(createdMs - startMs) < 4000,
      };
    },
    expected: { status: 'ACTIVE', hours: 24, shards: 2, isArn: true, isTimely: true },
  },
  {
    id: 'by-arn',
    title: 'a stream is found by its ARN',
    async observe(scene) {
      const name = await scene.stream();
      const StreamARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${name}`;
      return errorName(scene.client.send(new DescribeStreamSummaryCommand({ StreamARN })));
    },
    expected: 'accepted',
  },
  {
    id: 'delete-recreate',
    title: 'a deleted stream is unknown, and one recreated under its name has a later creation time',
    async observe(scene) {
      const name = await scene.stream();
      const before = (await summaryOf(scene, name)).StreamCreationTimestamp!;
      await scene.client.send(new DeleteStreamCommand({ StreamName: name }));
      await pause(1100);
      const missing = await errorName(summaryOf(scene, name));
      await scene.client.send(new CreateStreamCommand({ StreamName: name, ShardCount: 1 }));
      await scene.untilActive(name);
      const after = (await summaryOf(scene, name)).StreamCreationTimestamp!;
      return [missing, after > before];
    },
    expected: ['ResourceNotFoundException', true],
  },
  {
    id: 'describe-pages',
    title: 'DescribeStream pages through the shards',
    async observe(scene) {
      const StreamName = await scene.stream(3);
      const first = await scene.client.send(new DescribeStreamCommand({ StreamName, Limit: 2 }));
      const shards = first.StreamDescription?.Shards ?? [];
      const second = await scene.client.send(
        new DescribeStreamCommand({ StreamName, Limit: 2, ExclusiveStartShardId: shards.at(-1)!.ShardId! }),
      );
      return [first, second].map((page) => [
        shardNumbers(page.StreamDescription?.Shards),
        page.StreamDescription?.HasMoreShards,
      ]);
    },
    expected: [
      [[0, 1], true],
      [[2], false],
    ],
  },
  {
    id: 'list-streams-pages',
    title: 'ListStreams pages through the streams by name',
    async observe(scene) {
      const names = [await scene.stream(), await scene.stream(), await scene.stream()];
      const after = (name: string) =>
        scene.client.send(new ListStreamsCommand({ ExclusiveStartStreamName: name, Limit: 1 }));
      const first = await after(names[0]!);
      const second = await after(first.StreamNames!.at(-1)!);
      const indexes = [first, second].map((page) => page.StreamNames?.map((name) => names.indexOf(name)));
      return [...indexes, first.HasMoreStreams];
    },
    expected: [[1], [2], true],
  },
  {
    id: 'retention',
    title: 'the retention period grows and shrinks by its own calls only, within 24 to 8,760 hours',
    async observe(scene) {
      const StreamName = await scene.stream();
      const increase = (hours: number): Promise<string> =>
        errorName(
          scene.client.send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: hours })),
        );
      const decrease = (hours: number): Promise<string> =>
        errorName(
          scene.client.send(new DecreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: hours })),
        );
      const outcomes = [await increase(48), await increase(36), await decrease(72), await decrease(12)];
      const { RetentionPeriodHours: grown } = await summaryOf(scene, StreamName);
      outcomes.push(await decrease(24));
      return [...outcomes, grown, (await summaryOf(scene, StreamName)).RetentionPeriodHours];
    },
    expected: [
      'accepted',
      'InvalidArgumentException',
      'InvalidArgumentException',
      'InvalidArgumentException',
      'accepted',
      48,
      24,
    ],
  },
];

async function summaryOf(scene: StreamScene, name: string) {
  const output = await scene.client.send(new DescribeStreamSummaryCommand({ StreamName: name }));
  return output.StreamDescriptionSummary!;
}
