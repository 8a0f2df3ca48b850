/**
 * StreamSource on Kinesis: DescribeStreamSummary and ListShards. HTTP/1.1 with keep-alive (the SDK's default handler
 * opens a session per call), a deadline per call, and pages read by hand (the SDK has no paginator for ListShards).
 */
import {
  DescribeStreamSummaryCommand,
  ExpiredNextTokenException,
  InvalidArgumentException,
  KinesisClient,
  ListShardsCommand,
  type ListShardsCommandInput,
  type ListShardsCommandOutput,
  ResourceNotFoundException,
  type Shard,
  type ShardFilter,
  type StreamDescriptionSummary,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type Clock, parseIsoTime } from '../../runtime/clock.ts';
import type { ListedShard, ListedShards } from '../fleet-view.ts';
import { type StreamDescription, type StreamSource, StreamUnavailable } from '../stream-source.ts';

const CALL_TIMEOUT_MS = 5_000;
const LISTING_ATTEMPTS = 3;
/** The Date of an answer is whole seconds: a smaller difference between the clocks says nothing. */
const CLOCKS_AGREE_MS = 2_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export interface KinesisStreamOptions {
  /** Name or ARN. */
  readonly stream: string;
  readonly clock: Clock;
  readonly client?: KinesisClient;
}

export class KinesisStream implements StreamSource {
  readonly #client: KinesisClient;
  readonly #clock: Clock;
  readonly #name: { readonly StreamARN: string } | { readonly StreamName: string };
  #serverDateMs: number | undefined;
  #creation: StreamDescriptionSummary['StreamCreationTimestamp'];

  constructor(options: KinesisStreamOptions) {
    this.#clock = options.clock;
    this.#name = options.stream.startsWith('arn:') ? { StreamARN: options.stream } : { StreamName: options.stream };
    this.#client =
      options.client ??
      new KinesisClient({ maxAttempts: 2, requestHandler: new NodeHttpHandler({ connectionTimeout: 1_000 }) });
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        this.#noteDate(result.response);
        return result;
      },
      { step: 'deserialize', priority: 'low' },
    );
  }

  async describe(signal: AbortSignal): Promise<StreamDescription | 'missing'> {
    try {
      const answer = await this.#client.send(new DescribeStreamSummaryCommand(this.#name), this.#limits(signal));
      const summary = answer.StreamDescriptionSummary;
      if (!summary?.StreamARN || !summary.StreamCreationTimestamp) throw new Error('the answer lacks the ARN or time');
      if (summary.StreamStatus === 'CREATING' || summary.StreamStatus === 'DELETING') return 'missing';
      this.#creation = summary.StreamCreationTimestamp;
      return {
        arn: summary.StreamARN,
        creationEpochSeconds: Math.floor(summary.StreamCreationTimestamp.getTime() / 1_000),
      };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return 'missing';
      throw new StreamUnavailable('DescribeStreamSummary', error);
    }
  }

  async list(signal: AbortSignal, openAtMs: number | undefined): Promise<ListedShards | 'missing'> {
    try {
      const openAtStart = openAtMs === undefined ? undefined : await this.#openAt(signal, openAtMs);
      const shards = await this.#listAll(signal, undefined);
      return { shards: shards.map(listedShard), openAtStart, listedAtMs: this.#now() };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return 'missing';
      throw new StreamUnavailable('ListShards', error);
    }
  }

  close(): void {
    this.#client.destroy();
  }

  /** After `describe`. Undefined when the service does not take the time: one before the stream began, or in the future. */
  async #openAt(signal: AbortSignal, openAtMs: number): Promise<readonly string[] | undefined> {
    try {
      // The SDK wants its own kind of instant: one that it gave, moved to the time asked for.
      const instant = structuredClone(this.#creation);
      if (!instant) return undefined;
      instant.setTime(openAtMs);
      const shards = await this.#listAll(signal, { Type: 'AT_TIMESTAMP', Timestamp: instant });
      return shards.map((shard) => shard.ShardId ?? '');
    } catch (error) {
      if (error instanceof InvalidArgumentException) return undefined;
      throw error;
    }
  }

  /** A token that expired half-way begins a new listing: pages of two listings do not fit together. */
  async #listAll(signal: AbortSignal, filter: ShardFilter | undefined): Promise<Shard[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#listPages(signal, filter);
      } catch (error) {
        if (!(error instanceof ExpiredNextTokenException) || attempt >= LISTING_ATTEMPTS) throw error;
      }
    }
  }

  async #listPages(signal: AbortSignal, filter: ShardFilter | undefined): Promise<Shard[]> {
    const shards: Shard[] = [];
    let input: ListShardsCommandInput | undefined = { ...this.#name, ...(filter ? { ShardFilter: filter } : {}) };
    while (input) {
      const answer: ListShardsCommandOutput = await this.#client.send(
        new ListShardsCommand(input),
        this.#limits(signal),
      );
      shards.push(...(answer.Shards ?? []));
      input = answer.NextToken ? { NextToken: answer.NextToken } : undefined;
    }
    return shards;
  }

  #limits(signal: AbortSignal): { readonly abortSignal: AbortSignal } {
    return { abortSignal: this.#clock.deadline(CALL_TIMEOUT_MS, signal) };
  }

  /** Our wall clock, unless it is plainly wrong by the service's: "now" must mean what it means to the shards. */
  #now(): number {
    const ownMs = this.#clock.wallMs();
    const serverMs = this.#serverDateMs;
    return serverMs !== undefined && Math.abs(serverMs - ownMs) > CLOCKS_AGREE_MS ? serverMs : ownMs;
  }

  #noteDate(response: unknown): void {
    const headers: unknown = typeof response === 'object' && response !== null ? Reflect.get(response, 'headers') : {};
    const date: unknown = typeof headers === 'object' && headers !== null ? Reflect.get(headers, 'date') : undefined;
    const ms = typeof date === 'string' ? parseHttpDate(date) : undefined;
    if (ms !== undefined) this.#serverDateMs = ms;
  }
}

function listedShard(shard: Shard): ListedShard {
  return {
    shardId: shard.ShardId ?? '',
    parents: [shard.ParentShardId, shard.AdjacentParentShardId].filter((id) => id !== undefined),
    startingHashKey: shard.HashKeyRange?.StartingHashKey ?? '',
    endingHashKey: shard.HashKeyRange?.EndingHashKey ?? '',
    isClosed: Boolean(shard.SequenceNumberRange?.EndingSequenceNumber),
  };
}

/** `Sat, 21 Nov 2026 10:00:00 GMT` */
function parseHttpDate(text: string): number | undefined {
  const [, day, month, year, time] = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/.exec(text) ?? [];
  const at = MONTHS.indexOf(month ?? '');
  return at < 0 ? undefined : parseIsoTime(`${year}-${String(at + 1).padStart(2, '0')}-${day}T${time}Z`);
}
