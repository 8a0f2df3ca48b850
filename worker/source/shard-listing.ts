/**
 * ListShards for all sources of a process: one answer serves every shard that asks within its age, and one call under
 * way serves all who wait for it. Only shard-end.ts asks, seldom.
 */
import type { Clock } from '../../runtime/clock.ts';
import { callWithin } from './deadline-call.ts';
import type { KinesisReads, ListedShard } from './kinesis-reads.ts';

/** Pages of a very large stream take longer than one read. */
const LIST_DEADLINE_MS = 30_000;

/** A shard and those that name it as a parent; the shard is absent when it is not listed any more. */
export interface ShardFamily {
  readonly shard: ListedShard | undefined;
  readonly children: readonly ListedShard[];
}

export class ShardListing {
  readonly #reads: Pick<KinesisReads, 'listShards'>;
  readonly #clock: Clock;
  #listed: { readonly shards: readonly ListedShard[]; readonly atMs: number } | undefined;
  #underWay: Promise<readonly ListedShard[]> | undefined;

  constructor(reads: Pick<KinesisReads, 'listShards'>, clock: Clock) {
    this.#reads = reads;
    this.#clock = clock;
  }

  /** @param maxAgeMs 0 = what Kinesis says now. Throws what ListShards throws. */
  async familyOf(shardId: string, maxAgeMs: number): Promise<ShardFamily> {
    const shards = await this.#shards(maxAgeMs);
    return {
      shard: shards.find((shard) => shard.shardId === shardId),
      children: shards.filter((shard) => shard.parentShards.includes(shardId)),
    };
  }

  async #shards(maxAgeMs: number): Promise<readonly ListedShard[]> {
    const known = this.#listed;
    if (known && this.#clock.monotonicMs() - known.atMs < maxAgeMs) return known.shards;
    this.#underWay ??= this.#list().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #list(): Promise<readonly ListedShard[]> {
    const atMs = this.#clock.monotonicMs();
    const shards = await callWithin(this.#clock, LIST_DEADLINE_MS, undefined, (deadline) =>
      this.#reads.listShards(deadline),
    );
    this.#listed = { shards, atMs };
    return shards;
  }
}
