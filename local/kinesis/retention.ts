/**
 * Forgetting: by age (each stream's retention period) and by bytes (one bound for the whole server, oldest segments
 * first, whichever stream they belong to). TRIM_HORIZON then means the oldest record kept. Age is checked at most
 * once a second; bytes by a running upper estimate, which is recounted only when it passes the bound.
 * Neighbour: shard-log.ts forgets whole segments.
 */
import type { ShardLog } from './shard-log.ts';
import type { Stream } from './stream.ts';

const SWEEP_INTERVAL_MS = 1000;
/** Room made at a time, as a part of the bound: so that not every write has to look for the oldest segment. */
const SLACK = 1 / 64;

export class Retention {
  readonly #maxBytes: number;
  readonly #streams: () => Iterable<Stream>;
  #nextSweepMs = Number.NEGATIVE_INFINITY;
  #estimateBytes = 0;

  constructor(maxBytes: number, streams: () => Iterable<Stream>) {
    this.#maxBytes = maxBytes;
    this.#streams = streams;
  }

  /** Bytes of all logs, as encoded; counted anew. */
  get bytesHeld(): number {
    let bytes = 0;
    for (const log of this.#logs()) bytes += log.bytes;
    return bytes;
  }

  sweepByAge(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + SWEEP_INTERVAL_MS;
    for (const stream of this.#streams()) stream.trim(nowMs);
  }

  /** Frees the oldest segments when the bound is passed; called after every write with the bytes it added. */
  noteAppended(bytes: number): void {
    this.#estimateBytes += bytes;
    if (this.#estimateBytes <= this.#maxBytes) return;
    this.#estimateBytes = this.bytesHeld;
    if (this.#estimateBytes <= this.#maxBytes) return;
    const targetBytes = this.#maxBytes * (1 - SLACK);
    while (this.#estimateBytes > targetBytes) {
      const freedBytes = this.#oldestLog()?.dropOldestSegment() ?? 0;
      if (freedBytes === 0) return;
      this.#estimateBytes -= freedBytes;
    }
  }

  #oldestLog(): ShardLog | undefined {
    let oldest: ShardLog | undefined;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const log of this.#logs()) {
      const arrivalMs = log.oldestArrivalMs ?? Number.POSITIVE_INFINITY;
      if (arrivalMs < oldestMs) {
        oldest = log;
        oldestMs = arrivalMs;
      }
    }
    return oldest;
  }

  *#logs(): Iterable<ShardLog> {
    for (const stream of this.#streams()) {
      for (const shard of stream.shards) yield shard.log;
    }
  }
}
