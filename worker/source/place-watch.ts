/**
 * Finds out what became of a place that Kinesis does not know (any more): another stream under the same name, a shard
 * that retention has trimmed altogether, or neither. Only a fresh look at the stream and at its shards decides, and what
 * is final takes two looks in a row. No error is proof by itself, and nothing here is a shard end.
 */
import { FleetError } from '../../runtime/errors.ts';
import type { ShardListing } from './shard-listing.ts';

/** The shard is no part of the stream any more: what of it was not read can never be read. */
export class ShardGone extends FleetError {
  constructor(shardId: string) {
    super('the stream has this shard no more', {
      code: 'ShardGone',
      disposition: 'release',
      fields: { shard: shardId },
    });
    this.name = 'ShardGone';
  }
}

/** Nothing may be read for a lease of the stream that had this name before. */
export class StreamRecreated extends FleetError {
  constructor(leasedEpochSeconds: number, foundEpochSeconds: number) {
    super('the stream is another one than the lease is for', {
      code: 'StreamRecreated',
      disposition: 'retry',
      fields: { leasedEpochSeconds, foundEpochSeconds },
    });
    this.name = 'StreamRecreated';
  }
}

const LOOKS_UNTIL_GONE = 2;
const STREAM_MAX_AGE_MS = 10_000;

export class PlaceWatch {
  readonly #shardId: string;
  readonly #creationEpochSeconds: number | undefined;
  readonly #listing: ShardListing;
  #looksWithout = 0;

  /** @param creationEpochSeconds of the stream that the lease is for; undefined = it does not say. */
  constructor(shardId: string, creationEpochSeconds: number | undefined, listing: ShardListing) {
    this.#shardId = shardId;
    this.#creationEpochSeconds = creationEpochSeconds;
    this.#listing = listing;
  }

  /**
   * Before an iterator by a sentinel, which any stream would give: one by a position only its own stream takes.
   * @throws StreamRecreated, or what DescribeStreamSummary throws.
   */
  async requireSameStream(): Promise<void> {
    if (this.#creationEpochSeconds !== undefined) await this.#requireSameStream(STREAM_MAX_AGE_MS);
  }

  /**
   * After a read that failed because Kinesis does not know the place. True = the stream is the same, and has the shard
   * no more. @throws StreamRecreated, or what the looks throw: then nothing is decided.
   */
  async isGone(): Promise<boolean> {
    const looksWithout = this.#looksWithout;
    this.#looksWithout = 0;
    await this.#requireSameStream(0);
    const shards = await this.#listing.all(0);
    // A stream without any shard is none: that answer says nothing.
    if (shards.length === 0 || shards.some(({ shardId }) => shardId === this.#shardId)) return false;
    this.#looksWithout = looksWithout + 1;
    return this.#looksWithout >= LOOKS_UNTIL_GONE;
  }

  /** The arrival time before which nothing is kept any more, at the moment of an answer; undefined = nobody can say. */
  async horizonMs(answeredAtMs: number): Promise<number | undefined> {
    try {
      const { retentionMs } = await this.#listing.stream(STREAM_MAX_AGE_MS);
      return answeredAtMs - retentionMs;
    } catch {
      // Whoever asks wants to say more of something that it says anyway.
      return undefined;
    }
  }

  async #requireSameStream(maxAgeMs: number): Promise<void> {
    const leased = this.#creationEpochSeconds;
    const { creationEpochSeconds: found } = await this.#listing.stream(maxAgeMs);
    if (leased !== undefined && leased !== found) throw new StreamRecreated(leased, found);
  }
}
