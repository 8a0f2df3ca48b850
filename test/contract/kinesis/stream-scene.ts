/**
 * What the cases of the contract do with a server: streams of their own, writes, reads, and the names of errors.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
  type GetShardIteratorInput,
  type KinesisClient,
  ListShardsCommand,
  type ListShardsInput,
  PutRecordsCommand,
  type PutRecordsResultEntry,
  type Shard,
} from '@aws-sdk/client-kinesis';

export class StreamScene {
  readonly client: KinesisClient;
  readonly #prefix: string;
  #made = 0;

  constructor(client: KinesisClient, prefix: string) {
    this.client = client;
    this.#prefix = prefix;
  }

  newName(): string {
    this.#made += 1;
    return `${this.#prefix}-${this.#made}`;
  }

  /** A stream that is ACTIVE. */
  async stream(shardCount = 1): Promise<string> {
    const name = this.newName();
    await this.client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shardCount }));
    await this.untilActive(name);
    return name;
  }

  async status(name: string): Promise<string | undefined> {
    const { StreamDescriptionSummary } = await this.client.send(new DescribeStreamSummaryCommand({ StreamName: name }));
    return StreamDescriptionSummary?.StreamStatus;
  }

  async untilActive(name: string): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if ((await this.status(name)) === 'ACTIVE') return;
      await pause(20);
    }
    throw new Error(`stream ${name} did not become ACTIVE`);
  }

  async shards(name: string, input: Omit<ListShardsInput, 'StreamName'> = {}): Promise<Shard[]> {
    const { Shards } = await this.client.send(new ListShardsCommand({ StreamName: name, ...input }));
    return Shards ?? [];
  }

  /** One record per text, all with one partition key; the last entry's result comes last. */
  async put(name: string, texts: readonly string[], explicitHashKey?: string): Promise<PutRecordsResultEntry[]> {
    const { Records } = await this.client.send(
      new PutRecordsCommand({
        StreamName: name,
        Records: texts.map((text) => ({
          Data: Buffer.from(text),
          PartitionKey: 'key',
          ...(explicitHashKey && { ExplicitHashKey: explicitHashKey }),
        })),
      }),
    );
    return Records ?? [];
  }

  async iterator(
    name: string,
    type: GetShardIteratorInput['ShardIteratorType'],
    extra: Partial<GetShardIteratorInput> = {},
  ): Promise<string> {
    const { ShardIterator } = await this.client.send(
      new GetShardIteratorCommand({
        StreamName: name,
        ShardId: 'shardId-000000000000',
        ShardIteratorType: type,
        ...extra,
      }),
    );
    return ShardIterator!;
  }

  read(iterator: string, limit?: number): Promise<GetRecordsOutput> {
    return this.client.send(new GetRecordsCommand({ ShardIterator: iterator, ...(limit && { Limit: limit }) }));
  }
}

/** Shard ids without their constant part: `0`, `1`. */
export function shardNumber(shardId: string | undefined): number {
  return Number(shardId?.replace('shardId-', ''));
}

export function shardNumbers(shards: readonly { ShardId?: string | undefined }[] | undefined): number[] {
  return (shards ?? []).map((shard) => shardNumber(shard.ShardId));
}

export function textsOf(output: GetRecordsOutput): string[] {
  return (output.Records ?? []).map((record) => Buffer.from(record.Data!).toString());
}

/** The error's name, or `accepted`. */
export async function errorName(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'accepted';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

/** Observes again, on a busy machine, until the passing state was caught; the last observation if it never was. */
export async function untilCaught<T>(observe: () => Promise<T>, isCaught: (seen: T) => boolean): Promise<T> {
  let seen = await observe();
  for (let attempt = 1; attempt < 6 && !isCaught(seen); attempt += 1) seen = await observe();
  return seen;
}
