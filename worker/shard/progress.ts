/**
 * How one consumer gets on, for the lag gauge and the liveness watchdog. Reading, and waiting for Redis or AWS with
 * repeated attempts, is progress; a loop that hangs is not.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { RawBatch } from '../source/raw-batch.ts';
import type { ShardWaits } from './shard-parts.ts';

export class ShardProgress {
  readonly #clock: Clock;
  readonly #waits: ShardWaits;
  #turnMs: number;
  #behindMs = 0;
  #readBytes = 0;
  /** When the batch in work was taken, or the consumer began to open; undefined while it waits for records. */
  #busySinceMs: number | undefined;

  constructor(clock: Clock, waits: ShardWaits) {
    this.#clock = clock;
    this.#waits = waits;
    this.#turnMs = clock.monotonicMs();
    this.#busySinceMs = this.#turnMs;
  }

  waitForRecords(): void {
    this.#turnMs = this.#clock.monotonicMs();
    this.#busySinceMs = undefined;
  }

  /** What Kinesis gave, aggregates as they are. */
  took(raw: RawBatch): void {
    for (let i = 0; i < raw.count; i++) this.#readBytes += raw.ends[i]! - raw.starts[i]!;
    if (Number.isFinite(raw.millisBehindLatest)) this.#behindMs = raw.millisBehindLatest;
  }

  begin(): void {
    this.#turnMs = this.#clock.monotonicMs();
    this.#busySinceMs = this.#turnMs;
  }

  end(): { readonly startedMs: number; readonly endedMs: number } {
    return { startedMs: this.#turnMs, endedMs: this.#clock.monotonicMs() };
  }

  /** Payload that was taken in hand, read again or not: what the shard costs. */
  get readBytes(): number {
    return this.#readBytes;
  }

  /** Kinesis's own figure, and what passed since while the batch in work does not get done. */
  get lagMs(): number {
    const sinceMs = this.#busySinceMs === undefined ? 0 : this.#clock.monotonicMs() - this.#busySinceMs;
    return this.#behindMs + sinceMs;
  }

  get isWaitingForRedis(): boolean {
    return this.#waits.redis.isWaiting;
  }

  get isWaitingForTable(): boolean {
    return this.#waits.table.isWaiting;
  }

  get isWaitingForDeadLetters(): boolean {
    return this.#waits.deadLetters.isWaiting;
  }

  /** Monotonic time of the last sign of progress. */
  get lastSignMs(): number {
    const { redis, table, deadLetters } = this.#waits;
    return Math.max(this.#turnMs, redis.lastAttemptMs, table.lastAttemptMs, deadLetters.lastAttemptMs);
  }
}
