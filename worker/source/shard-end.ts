/**
 * Decides that a shard is closed and read to its end. A shard end is final (its children start), so it takes proof:
 * Kinesis names the children; or the position is at the shard's ending sequence number; or ListShards shows the shard
 * closed, or children of it, and reading on brings nothing more. An iterator that is null without any of these is
 * transient: the reader takes a new one. No error ever ends a shard.
 */
import { SEQUENCE_NUMBER_DIGITS } from '../../lease/position.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { RecordPage } from './kinesis-reads.ts';
import type { ChildShard } from './raw-batch.ts';
import type { ShardFamily, ShardListing } from './shard-listing.ts';

const IDLE_CHECK_MS = 30_000;
/** Empty answers at the tip, after children are known, until a shard whose iterator never becomes null is finished. */
const EMPTY_READS_AFTER_CHILDREN = 3;

export interface ShardEnd {
  readonly childShards: readonly ChildShard[];
}

type Verdict = 'open' | 'closed' | 'readToEnd';

/** @param lastSequence padded, of the last record read; undefined = none yet. */
export function shardEndVerdict(family: ShardFamily, lastSequence: string | undefined): Verdict {
  const ending = properEnding(family);
  if (ending !== undefined && lastSequence !== undefined && lastSequence >= ending) return 'readToEnd';
  return family.shard?.endingSequenceNumber !== undefined || family.children.length > 0 ? 'closed' : 'open';
}

/** Padded. Some emulators end all shards at one small number, below their start: that proves nothing. */
function properEnding({ shard }: ShardFamily): string | undefined {
  if (shard?.endingSequenceNumber === undefined) return undefined;
  const ending = shard.endingSequenceNumber.padStart(SEQUENCE_NUMBER_DIGITS, '0');
  return ending >= shard.startingSequenceNumber.padStart(SEQUENCE_NUMBER_DIGITS, '0') ? ending : undefined;
}

export class ShardEndWatch {
  readonly #shardId: string;
  readonly #listing: ShardListing;
  readonly #clock: Clock;
  /** A null iterator was seen on a closed shard; the next read, by a new iterator, must bring nothing. */
  #isConfirming: boolean;
  #nextIdleCheckMs = Number.NEGATIVE_INFINITY;
  /** Set once the shard is known to be closed. */
  #family: ShardFamily | undefined;
  #emptyReads = 0;

  constructor(shardId: string, listing: ShardListing, clock: Clock) {
    this.#shardId = shardId;
    this.#listing = listing;
    this.#clock = clock;
    this.#isConfirming = false;
  }

  /**
   * Looks at each answer, after its records were taken. Undefined = read on, by a new iterator when there is none.
   * @throws what ListShards throws, only when the answer has no iterator: it then cannot be decided.
   */
  async afterPage(page: RecordPage, lastSequence: string | undefined): Promise<ShardEnd | undefined> {
    if (page.count > 0) this.#emptyReads = 0;
    if (page.nextShardIterator === undefined) return this.#afterNullIterator(page, lastSequence);
    this.#isConfirming &&= page.count === 0;
    if (page.count > 0 || page.millisBehindLatest > 0) return undefined;
    return this.#whenIdle(lastSequence);
  }

  async #afterNullIterator(page: RecordPage, lastSequence: string | undefined): Promise<ShardEnd | undefined> {
    if (page.childShards.length > 0) return { childShards: page.childShards };
    const family = await this.#listing.familyOf(this.#shardId, 0);
    const verdict = shardEndVerdict(family, lastSequence);
    if (verdict === 'readToEnd') return endOf(family);
    const isConfirmed = this.#isConfirming && page.count === 0;
    this.#isConfirming = verdict === 'closed';
    return verdict === 'closed' && isConfirmed ? endOf(family) : undefined;
  }

  async #whenIdle(lastSequence: string | undefined): Promise<ShardEnd | undefined> {
    if (this.#family) {
      this.#emptyReads++;
      return this.#emptyReads >= EMPTY_READS_AFTER_CHILDREN ? endOf(this.#family) : undefined;
    }
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#nextIdleCheckMs) return undefined;
    this.#nextIdleCheckMs = nowMs + IDLE_CHECK_MS;
    const family = await this.#familyIfKnown();
    if (!family || shardEndVerdict(family, lastSequence) === 'open') return undefined;
    if (shardEndVerdict(family, lastSequence) === 'readToEnd') return endOf(family);
    if (family.children.length > 0) this.#family = family;
    return undefined;
  }

  /** Reading does not depend on this look: without the permission to list, null iterators still end shards. */
  async #familyIfKnown(): Promise<ShardFamily | undefined> {
    try {
      return await this.#listing.familyOf(this.#shardId, IDLE_CHECK_MS);
    } catch {
      return undefined;
    }
  }
}

function endOf(family: ShardFamily): ShardEnd {
  return {
    childShards: family.children.map(({ shardId, parentShards, startingHashKey, endingHashKey }) => ({
      shardId,
      parentShards,
      startingHashKey,
      endingHashKey,
    })),
  };
}
