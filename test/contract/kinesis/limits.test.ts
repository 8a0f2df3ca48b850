/**
 * The limits of limits that only our server enforces, through the SDK, as a consumer and a producer meet them. Timing
 * is the fake-clock tests' subject (test/unit/local/kinesis/rate-limit.test.ts): nothing here waits a second.
 */
import { CreateStreamCommand, PutRecordsCommand, UpdateShardCountCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalKinesis, startLocalKinesis } from '../../../local/kinesis/server.ts';
import { clientOf } from './kinesis-servers.ts';
import { errorName, StreamScene } from './stream-scene.ts';

const MIB = 1024 * 1024;

describe('the limits of the local Kinesis', () => {
  let server: LocalKinesis;
  let scene: StreamScene;

  beforeAll(async () => {
    server = await startLocalKinesis({ transitionMs: 0, shardLimit: 50 });
    scene = new StreamScene(clientOf(server.url), 'limits');
  });

  afterAll(async () => {
    scene.client.destroy();
    await server.close();
  });

  it('refuse the sixth read of a shard within a second', async () => {
    const iterator = await scene.iterator(await scene.stream(), 'TRIM_HORIZON');

    const outcomes = await Promise.all(Array.from({ length: 6 }, () => errorName(scene.read(iterator))));

    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(5);
    expect(outcomes).toContain('ProvisionedThroughputExceededException');
  });

  it('end a read at 10 MiB, and refuse the next one', async () => {
    const name = await scene.stream();
    server.enforceLimits(false);
    for (let request = 0; request < 3; request += 1) await scene.put(name, Array(5).fill('x'.repeat(0.9 * MIB)));
    server.enforceLimits(true);

    const first = await scene.read(await scene.iterator(name, 'TRIM_HORIZON'));
    const second = await errorName(scene.read(first.NextShardIterator!));

    expect(first.Records).toHaveLength(11);
    expect(first.MillisBehindLatest).toBeGreaterThan(0);
    expect(second).toBe('ProvisionedThroughputExceededException');
  });

  it('refuse single entries of a PutRecords beyond 1,000 records a second, the others are written', async () => {
    const name = await scene.stream();
    const Records = Array.from({ length: 500 }, () => ({ Data: Buffer.from('x'), PartitionKey: 'key' }));

    const outputs = await Promise.all(
      [1, 2, 3, 4].map(() => scene.client.send(new PutRecordsCommand({ StreamName: name, Records }))),
    );

    const results = outputs.flatMap((output) => output.Records ?? []);
    const failed = results.filter((result) => result.ErrorCode === 'ProvisionedThroughputExceededException');
    expect(outputs.reduce((sum, output) => sum + (output.FailedRecordCount ?? 0), 0)).toBe(failed.length);
    expect(failed.length).toBeGreaterThan(500);
    expect(failed.every((result) => result.SequenceNumber === undefined)).toBe(true);
    expect(results.length - failed.length).toBeGreaterThanOrEqual(1000);
  });

  it('take records up to the size that the stream was created with', async () => {
    const name = scene.newName();
    await scene.client.send(new CreateStreamCommand({ StreamName: name, ShardCount: 1, MaxRecordSizeInKiB: 4096 }));
    await scene.untilActive(name);
    const put = (bytes: number): Promise<string> => errorName(scene.put(name, ['x'.repeat(bytes)]));

    expect(await put(3.9 * MIB)).toBe('accepted');
    expect(await put(4.1 * MIB)).toBe('ValidationException');
  });

  it('let UpdateShardCount at most double and at least halve, within the quota of shards', async () => {
    const name = await scene.stream(4);
    const scale = (TargetShardCount: number): Promise<string> =>
      errorName(
        scene.client.send(
          new UpdateShardCountCommand({ StreamName: name, TargetShardCount, ScalingType: 'UNIFORM_SCALING' }),
        ),
      );

    expect(await scale(9)).toBe('InvalidArgumentException');
    expect(await scale(1)).toBe('InvalidArgumentException');
    expect(await scale(100)).toBe('LimitExceededException');
    expect(await scale(8)).toBe('accepted');
  });

  it('are switched off and on at the control endpoint', async () => {
    const iterator = await scene.iterator(await scene.stream(), 'TRIM_HORIZON');
    const settings = `${server.url}/_local/settings`;
    const post = (enforceLimits: boolean) =>
      fetch(settings, { method: 'POST', body: JSON.stringify({ enforceLimits }) });

    await post(false);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => errorName(scene.read(iterator))));
    await post(true);

    expect(new Set(outcomes)).toEqual(new Set(['accepted']));
    expect(await (await fetch(settings)).json()).toMatchObject({ enforceLimits: true, shardLimit: 50 });
  });
});
