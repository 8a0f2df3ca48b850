/**
 * Which shards the stream has no more. ListShards may leave one out for a moment, so a shard counts as gone only when
 * several listings in a row did not have it. No clock: whoever lists decides how far apart they are.
 */
import type { ListedShard } from '../fleet-view.ts';

const LISTINGS_UNTIL_GONE = 3;

export class Absences {
  readonly #listings = new Map<string, number>();

  /**
   * One more listing. @param asked shards that somebody has a reason to ask for; the others are forgotten.
   * @returns those that are gone.
   */
  saw(shards: readonly ListedShard[], asked: ReadonlySet<string>): ReadonlySet<string> {
    const listed = new Set(shards.map((shard) => shard.shardId));
    for (const shardId of this.#listings.keys()) {
      if (listed.has(shardId) || !asked.has(shardId)) this.#listings.delete(shardId);
    }
    for (const shardId of asked) {
      if (!listed.has(shardId)) this.#listings.set(shardId, (this.#listings.get(shardId) ?? 0) + 1);
    }
    return new Set([...this.#listings].flatMap(([id, times]) => (times >= LISTINGS_UNTIL_GONE ? [id] : [])));
  }

  /** The stream itself is another one, or not there. */
  forget(): void {
    this.#listings.clear();
  }
}
