/**
 * A stream on a local Kinesis of its own, with what the source needs to read it. Made by a test, closed by it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { type LocalKinesis, startLocalKinesis } from '../../local/kinesis/server.ts';
import { systemClock } from '../../runtime/clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { ByteBudget } from '../../worker/source/byte-budget.ts';
import { createKinesisClient } from '../../worker/source/kinesis-client.ts';
import { createOpenSource } from '../../worker/source/open-source.ts';
import type { PollingSettings } from '../../worker/source/polling.ts';
import type { ShardSource, SourceStart } from '../../worker/source/shard-source.ts';

export const STREAM = 'events';
export const FIRST_SHARD = 'shardId-000000000000';

export class LocalStream {
  readonly kinesis: LocalKinesis;
  readonly client: KinesisClient;
  readonly budget = new ByteBudget(64 * 1024 * 1024);
  readonly #sources: ShardSource[] = [];

  private constructor(kinesis: LocalKinesis) {
    this.kinesis = kinesis;
    this.client = createKinesisClient({
      endpoint: kinesis.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  }

  /** One shard; `maxRecordKib` only beyond the usual 1 MiB. */
  static async start(maxRecordKib?: number): Promise<LocalStream> {
    const stream = new LocalStream(await startLocalKinesis({ transitionMs: 10 }));
    await stream.client.send(
      new CreateStreamCommand({
        StreamName: STREAM,
        ShardCount: 1,
        ...(maxRecordKib && { MaxRecordSizeInKiB: maxRecordKib }),
      }),
    );
    await stream.#untilActive();
    return stream;
  }

  open(start: SourceStart = { kind: 'TRIM_HORIZON' }, settings: Partial<PollingSettings> = {}, shard = FIRST_SHARD) {
    const open = createOpenSource({
      client: this.client,
      stream: STREAM,
      clock: systemClock,
      budget: this.budget,
      logger: silentLogger,
      settings: { pollIntervalMs: 50, bufferMs: 20, ...settings },
    });
    const source = open(shard, start);
    this.#sources.push(source);
    return source;
  }

  /** Texts `<name><from>` … in order, 400 a call; all with one partition key. */
  async write(name: string, count: number, from = 0): Promise<void> {
    for (let next = from; next < from + count; next += 400) {
      const length = Math.min(400, from + count - next);
      await this.writePayloads(Array.from({ length }, (_, i) => Buffer.from(`${name}${next + i}`)));
    }
  }

  async writePayloads(payloads: readonly Uint8Array[]): Promise<void> {
    const Records = payloads.map((Data) => ({ Data, PartitionKey: 'one' }));
    const { FailedRecordCount } = await this.client.send(new PutRecordsCommand({ StreamName: STREAM, Records }));
    if (FailedRecordCount) throw new Error(`${FailedRecordCount} records were refused`);
  }

  async split(): Promise<void> {
    const half = (2n ** 127n).toString();
    const split = { StreamName: STREAM, ShardToSplit: FIRST_SHARD, NewStartingHashKey: half };
    await this.client.send(new SplitShardCommand(split));
    await this.#untilActive();
  }

  async close(): Promise<void> {
    for (const source of this.#sources) source.close();
    this.client.destroy();
    await this.kinesis.close();
  }

  async #untilActive(): Promise<void> {
    for (;;) {
      const answer = await this.client.send(new DescribeStreamSummaryCommand({ StreamName: STREAM }));
      if (answer.StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return;
      await sleep(10);
    }
  }
}
