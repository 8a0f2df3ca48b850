/**
 * When a shard may be read next. Pure: time is an argument. At most 5 reads start within any second, however they are
 * spread (a bucket that refills would let more through after a pause); a shard at its tip keeps the poll interval, one
 * that is behind goes on at once, and failures back off with jitter. Kinesis shares those 5 reads among all applications.
 */
import { type BackoffOptions, backoffMs, type Random } from '../../runtime/backoff.ts';
import type { ReadFailureKind } from './read-errors.ts';

const READS_PER_WINDOW = 5;
/** A little over a second, because calls do not arrive as evenly as they start. */
const WINDOW_MS = 1_020;

const SOON: BackoffOptions = { baseMs: 100, maxMs: 5_000 };
/** For what only a person can mend. */
const SLOW: BackoffOptions = { baseMs: 5_000, maxMs: 30_000 };

export class ShardPacing {
  readonly #pollIntervalMs: number;
  readonly #random: Random;
  /** Start times of the last reads, oldest first. */
  readonly #startsMs: number[] = [];
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #failuresInARow = 0;

  constructor(pollIntervalMs: number, random: Random) {
    this.#pollIntervalMs = pollIntervalMs;
    this.#random = random;
  }

  /** Milliseconds until a read may start; 0 = now. Monotonic times throughout. */
  waitMs(nowMs: number): number {
    const oldest = this.#startsMs.length < READS_PER_WINDOW ? undefined : this.#startsMs[0];
    const windowOpensMs = oldest === undefined ? Number.NEGATIVE_INFINITY : oldest + WINDOW_MS;
    return Math.max(0, this.#notBeforeMs - nowMs, windowOpensMs - nowMs);
  }

  started(nowMs: number): void {
    this.#startsMs.push(nowMs);
    if (this.#startsMs.length > READS_PER_WINDOW) this.#startsMs.shift();
  }

  /** @param isBehind more records are there already. */
  succeeded(isBehind: boolean): void {
    this.#failuresInARow = 0;
    const lastStartMs = this.#startsMs.at(-1) ?? Number.NEGATIVE_INFINITY;
    this.#notBeforeMs = isBehind ? Number.NEGATIVE_INFINITY : lastStartMs + this.#pollIntervalMs;
  }

  failed(kind: ReadFailureKind, nowMs: number): void {
    this.#failuresInARow++;
    this.#notBeforeMs = nowMs + this.#delayMs(kind);
  }

  #delayMs(kind: ReadFailureKind): number {
    switch (kind) {
      case 'unknownPlace':
      case 'refused':
        return backoffMs(SLOW, this.#failuresInARow, this.#random);
      case 'expired':
        // A new iterator mends it at once; if not, this is no expiry and must not become a hot loop.
        return this.#failuresInARow === 1 ? 0 : backoffMs(SOON, this.#failuresInARow, this.#random);
      case 'throttled':
      case 'transient':
        return backoffMs(SOON, this.#failuresInARow, this.#random);
    }
  }
}
