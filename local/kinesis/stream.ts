/**
 * One stream: state, settings, shards and their lineage. Its state changes lazily: a change is stored with the time
 * when it is due and applied by `advance`, which every request calls first; there is no timer. Invariant: the open
 * shards' ranges cover the hash space without overlap, before and after each change. Neighbour: reshard.ts.
 */
import { type HashRange, hashKeyHex, hashPartitionKey, uniformRanges } from './hash-key.ts';
import { Shard } from './shard.ts';

export type StreamMode = 'PROVISIONED' | 'ON_DEMAND';
export type StreamStatus = 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING';

export interface StreamOrigin {
  name: string;
  arn: string;
  mode: StreamMode;
  shardCount: number;
  createdMs: number;
  /** Sequence numbers of first shards start from here; later than any of an earlier stream of this name. */
  createdSecond: number;
  maxRecordBytes: number;
}

const HOUR_MS = 3_600_000;

export class Stream {
  readonly name: string;
  readonly arn: string;
  readonly createdMs: number;
  mode: StreamMode;
  maxRecordBytes: number;
  retentionHours = 24;
  /** When UpdateShardCount was called, wall clock. */
  readonly shardCountUpdatesMs: number[] = [];
  #status: StreamStatus = 'CREATING';
  /** `dueMs` is monotonic; `apply` takes the wall time. */
  #pending: { dueMs: number; apply: (atMs: number) => void } | undefined;
  #shards = new Map<string, Shard>();
  #nextIndex = 0;
  #routes: { endHex: string; shard: Shard }[] = [];
  readonly #createdSecond: number;

  constructor(origin: StreamOrigin, activeAtMs: number) {
    this.name = origin.name;
    this.arn = origin.arn;
    this.mode = origin.mode;
    this.createdMs = origin.createdMs;
    this.maxRecordBytes = origin.maxRecordBytes;
    this.#createdSecond = origin.createdSecond;
    this.#pending = {
      dueMs: activeAtMs,
      apply: () => {
        for (const range of uniformRanges(origin.shardCount)) this.addShard(range, [], origin.createdMs);
      },
    };
  }

  get status(): StreamStatus {
    return this.#status;
  }

  get retentionMs(): number {
    return this.retentionHours * HOUR_MS;
  }

  /** Deleted and past its delay: the account forgets it. */
  get isGone(): boolean {
    return this.#status === 'DELETING' && this.#pending === undefined;
  }

  /** Applies what has become due, as of the wall time at which it did. */
  advance(wallMs: number, monotonicMs: number): void {
    const pending = this.#pending;
    if (!pending || monotonicMs < pending.dueMs) return;
    this.#pending = undefined;
    pending.apply(Math.floor(wallMs - (monotonicMs - pending.dueMs)));
    if (this.#status !== 'DELETING') this.#status = 'ACTIVE';
    this.#routes = this.openShards().map((shard) => ({ endHex: hashKeyHex(shard.range.end), shard }));
  }

  /** Forgets closed shards past retention, and what the others hold beyond it. */
  trim(nowMs: number): void {
    const horizonMs = nowMs - this.retentionMs;
    for (const shard of this.#shards.values()) {
      if (shard.closedMs !== undefined && shard.closedMs < horizonMs) this.#shards.delete(shard.shardId);
      else shard.log.trimBefore(horizonMs);
    }
  }

  /** The oldest instant whose records are promised; never before the stream itself. */
  horizonMs(nowMs: number): number {
    return Math.max(this.createdMs, nowMs - this.retentionMs);
  }

  /** UPDATING until `dueMs` (monotonic), when `apply` changes the shards at one stroke. */
  update(dueMs: number, apply: (atMs: number) => void): void {
    this.#status = 'UPDATING';
    this.#pending = { dueMs, apply };
  }

  delete(dueMs: number): void {
    this.#status = 'DELETING';
    this.#pending = { dueMs, apply: () => undefined };
  }

  /** All shards kept, by age. */
  get shards(): Shard[] {
    return [...this.#shards.values()];
  }

  shard(shardId: string): Shard | undefined {
    return this.#shards.get(shardId);
  }

  /** In the order of their hash ranges. */
  openShards(): Shard[] {
    return this.shards.filter((shard) => shard.isOpen).sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
  }

  childrenOf(shard: Shard): Shard[] {
    return this.shards.filter((candidate) => candidate.parentIds.includes(shard.shardId));
  }

  addShard(range: HashRange, parents: readonly Shard[], createdMs: number): Shard {
    const createdSecond = Math.max(this.#createdSecond, Math.floor(createdMs / 1000));
    const shard = new Shard({ index: this.#nextIndex++, range, parents, createdMs, createdSecond });
    this.#shards.set(shard.shardId, shard);
    return shard;
  }

  /** The open shard that takes this record; `explicitHashKey` is a decimal number below 2^128. */
  route(partitionKey: string, explicitHashKey?: string): Shard {
    const key = explicitHashKey === undefined ? hashPartitionKey(partitionKey) : hashKeyHex(BigInt(explicitHashKey));
    let low = 0;
    let high = this.#routes.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#routes[middle]!.endHex < key) low = middle + 1;
      else high = middle;
    }
    const route = this.#routes[low];
    if (!route) throw new RangeError('the stream has no open shard');
    return route.shard;
  }
}
