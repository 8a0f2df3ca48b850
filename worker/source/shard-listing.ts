/**
 * ListShards and DescribeStreamSummary for all sources of a process: one answer serves every shard that asks within its
 * age, and one call under way serves all who wait for it. Asked seldom: shard-end.ts, place-watch.ts.
 */
import type { Clock } from '../../runtime/clock.ts';
import { callWithin } from './deadline-call.ts';
import type { KinesisReads, ListedShard, StreamFacts } from './kinesis-reads.ts';

/** Pages of a very large stream take longer than one read. */
const LIST_DEADLINE_MS = 30_000;
const DESCRIBE_DEADLINE_MS = 10_000;

/** A shard and those that name it as a parent; the shard is absent when it is not listed any more. */
export interface ShardFamily {
  readonly shard: ListedShard | undefined;
  readonly children: readonly ListedShard[];
}

export class ShardListing {
  readonly #shards: SharedAnswer<readonly ListedShard[]>;
  readonly #stream: SharedAnswer<StreamFacts>;

  constructor(reads: Pick<KinesisReads, 'listShards' | 'describeStream'>, clock: Clock) {
    this.#shards = new SharedAnswer(clock, LIST_DEADLINE_MS, (signal) => reads.listShards(signal));
    this.#stream = new SharedAnswer(clock, DESCRIBE_DEADLINE_MS, (signal) => reads.describeStream(signal));
  }

  /** @param maxAgeMs 0 = what Kinesis says now. Throws what ListShards throws. */
  async familyOf(shardId: string, maxAgeMs: number): Promise<ShardFamily> {
    const shards = await this.all(maxAgeMs);
    return {
      shard: shards.find((shard) => shard.shardId === shardId),
      children: shards.filter((shard) => shard.parentShards.includes(shardId)),
    };
  }

  /** Of the whole stream. Throws what ListShards throws. */
  all(maxAgeMs: number): Promise<readonly ListedShard[]> {
    return this.#shards.get(maxAgeMs);
  }

  /** @param maxAgeMs 0 = what Kinesis says now. Throws what DescribeStreamSummary throws. */
  stream(maxAgeMs: number): Promise<StreamFacts> {
    return this.#stream.get(maxAgeMs);
  }
}

class SharedAnswer<T> {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #ask: (signal: AbortSignal) => Promise<T>;
  #known: { readonly answer: T; readonly atMs: number } | undefined;
  #underWay: Promise<T> | undefined;

  constructor(clock: Clock, deadlineMs: number, ask: (signal: AbortSignal) => Promise<T>) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#ask = ask;
  }

  async get(maxAgeMs: number): Promise<T> {
    const known = this.#known;
    if (known && this.#clock.monotonicMs() - known.atMs < maxAgeMs) return known.answer;
    this.#underWay ??= this.#fetch().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #fetch(): Promise<T> {
    const atMs = this.#clock.monotonicMs();
    const answer = await callWithin(this.#clock, this.#deadlineMs, undefined, this.#ask);
    this.#known = { answer, atMs };
    return answer;
  }
}
