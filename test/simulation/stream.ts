/**
 * The Kinesis stream: shards with their records, splits and merges, and the answers of its API. What it says is what
 * the real one may say: short and empty pages, children named or not at the end of a shard, iterators that expire.
 */
import type { ListedShard as ControllerShard } from '../../controller/fleet-view.ts';
import type { StreamSource } from '../../controller/stream-source.ts';
import { positionOf } from '../../lease/position.ts';
import { FleetError } from '../../runtime/errors.ts';
import type { IteratorStart, KinesisReads, ListedShard, RecordPage } from '../../worker/source/kinesis-reads.ts';
import type { ChildShard } from '../../worker/source/raw-batch.ts';
import { rawBatchOf } from '../support/fake-source.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

export const STREAM_ARN = 'arn:aws:kinesis:us-east-1:123456789012:stream/logins';
export const CREATION_EPOCH_SECONDS = 1_790_000_000;
const HASH_KEYS = 2n ** 128n;
const MOST_PER_PAGE = 40;

export interface StreamRecord {
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly arrivalMs: number;
}

export interface SimShard {
  readonly id: string;
  readonly parents: readonly string[];
  readonly from: bigint;
  readonly through: bigint;
  readonly startSequence: number;
  endSequence: number | undefined;
  readonly records: StreamRecord[];
}

export class SimStream {
  readonly shards: SimShard[] = [];
  /** Does GetRecords name the children at the end of a shard? Some emulators do not. */
  readonly #namesChildren: boolean;
  readonly #random: SeededRandom;
  readonly #wallMs: () => number;
  /** Is the iterator of this call too old? */
  readonly #isExpired: () => boolean;
  #sequence = 1_000;

  constructor(random: SeededRandom, shards: number, wallMs: () => number, isExpired: () => boolean) {
    this.#random = random;
    this.#wallMs = wallMs;
    this.#isExpired = isExpired;
    this.#namesChildren = random.chance(0.7);
    const width = HASH_KEYS / BigInt(shards);
    for (let i = 0n; i < BigInt(shards); i++) {
      this.#open([], width * i, i + 1n === BigInt(shards) ? HASH_KEYS - 1n : width * (i + 1n) - 1n);
    }
  }

  shard(id: string): SimShard {
    return this.shards.find((shard) => shard.id === id)!;
  }

  get open(): readonly SimShard[] {
    return this.shards.filter((shard) => shard.endSequence === undefined);
  }

  childrenOf(id: string): readonly SimShard[] {
    return this.shards.filter((shard) => shard.parents.includes(id));
  }

  put(shard: SimShard, payload: Uint8Array): StreamRecord {
    const record = { sequence: ++this.#sequence, payload, arrivalMs: this.#wallMs() };
    shard.records.push(record);
    return record;
  }

  split(shard: SimShard): void {
    this.#close(shard);
    const middle = (shard.from + shard.through) / 2n;
    this.#open([shard.id], shard.from, middle);
    this.#open([shard.id], middle + 1n, shard.through);
  }

  /** The shard and its upper neighbour, when both are open. */
  merge(shard: SimShard): void {
    const next = this.open.find((other) => other.from === shard.through + 1n);
    if (!next || shard.endSequence !== undefined) return;
    this.#close(shard);
    this.#close(next);
    this.#open([shard.id, next.id], shard.from, next.through);
  }

  /** What a worker's source asks. */
  readonly reads: KinesisReads = {
    getShardIterator: (shardId, start) => this.#iterator(shardId, start),
    getRecords: (shardIterator, limit) => this.#records(shardIterator, limit),
    describeStream: () => Promise.resolve({ creationEpochSeconds: CREATION_EPOCH_SECONDS, retentionMs: 86_400_000 }),
    listShards: () => Promise.resolve(this.shards.map(listed)),
  };

  /** What the controller asks. */
  readonly source: StreamSource = {
    describe: () => Promise.resolve({ arn: STREAM_ARN, creationEpochSeconds: CREATION_EPOCH_SECONDS }),
    list: () =>
      Promise.resolve({
        shards: this.shards.map(forController),
        openAtStart: undefined,
        listedAtMs: this.#wallMs(),
      }),
  };

  #open(parents: readonly string[], from: bigint, through: bigint): void {
    const id = `shardId-${String(this.shards.length).padStart(12, '0')}`;
    this.shards.push({
      ...{ id, parents, from, through },
      startSequence: ++this.#sequence,
      endSequence: undefined,
      records: [],
    });
  }

  #close(shard: SimShard): void {
    shard.endSequence = ++this.#sequence;
  }

  #iterator(shardId: string, start: IteratorStart): Promise<string> {
    const { records } = this.shard(shardId);
    let next = 0;
    if (start.type === 'AT_TIMESTAMP') next = lowerBound(records, (record) => record.arrivalMs >= start.timestampMs);
    if ('sequenceNumber' in start) {
      const sequence = Number(start.sequenceNumber) + (start.type === 'AFTER_SEQUENCE_NUMBER' ? 1 : 0);
      next = lowerBound(records, (record) => record.sequence >= sequence);
    }
    return Promise.resolve(`${shardId}@${next}`);
  }

  #records(shardIterator: string, limit: number): Promise<RecordPage> {
    if (this.#isExpired()) {
      return Promise.reject(
        new FleetError('the iterator is too old', { code: 'ExpiredIteratorException', disposition: 'retry' }),
      );
    }
    const [shardId = '', at = ''] = shardIterator.split('@');
    const shard = this.shard(shardId);
    const first = Number(at);
    const most = this.#random.chance(0.05) ? 0 : Math.min(limit, 1 + this.#random.int(MOST_PER_PAGE));
    const page = shard.records.slice(first, first + most);
    const next = first + page.length;
    const nextRecord = shard.records[next];
    const isEnd = nextRecord === undefined && shard.endSequence !== undefined;
    const nowMs = this.#wallMs();
    const { isShardEnd: _, ...columns } = rawBatchOf(
      page.map(({ sequence, payload, arrivalMs }) => ({ sequenceNumber: String(sequence), payload, arrivalMs })),
      { answeredAtMs: nowMs, millisBehindLatest: nextRecord ? Math.max(1, nowMs - nextRecord.arrivalMs) : 0 },
    );
    return Promise.resolve({
      ...columns,
      nextShardIterator: isEnd ? undefined : `${shardId}@${next}`,
      childShards: isEnd && this.#namesChildren ? this.childrenOf(shardId).map(asChild) : [],
    });
  }
}

export function positionOfRecord(record: StreamRecord): ReturnType<typeof positionOf> {
  return positionOf(String(record.sequence));
}

function asChild({ id, parents, from, through }: SimShard): ChildShard {
  return { shardId: id, parentShards: parents, startingHashKey: String(from), endingHashKey: String(through) };
}

function listed(shard: SimShard): ListedShard {
  return {
    ...asChild(shard),
    startingSequenceNumber: String(shard.startSequence),
    endingSequenceNumber: shard.endSequence === undefined ? undefined : String(shard.endSequence),
  };
}

function forController(shard: SimShard): ControllerShard {
  return {
    shardId: shard.id,
    parents: shard.parents,
    startingHashKey: String(shard.from),
    endingHashKey: String(shard.through),
    isClosed: shard.endSequence !== undefined,
  };
}

/** The first index that is true, of those that are false and then true. */
function lowerBound(records: readonly StreamRecord[], isTrue: (record: StreamRecord) => boolean): number {
  const at = records.findIndex(isTrue);
  return at < 0 ? records.length : at;
}
