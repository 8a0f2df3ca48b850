/**
 * When a slot's write may be rested upon. Redis may lose the newest writes; one is settled when a later successful call
 * on the same row and the same connection was sent at least `settle` after its answer came. A reconnect restarts the
 * clock. Pure; times are monotonic. Bounded: answers close in time share one entry, with the later time.
 */
import type { Position } from '../../lease/position.ts';

/** A successful call on a shard's row in one slot: it found the row as this owner wrote it. */
export interface RowAnswer {
  /** The row's position after the call. */
  readonly position: Position;
  readonly connection: number;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/** A write beside the row, in the same slot: it settles by the same calls. */
export interface Stored {
  readonly connection: number;
  readonly answeredAtMs: number;
}

interface Entry {
  position: Position;
  readonly sinceMs: number;
  atMs: number;
}

const ENTRIES_PER_SETTLE = 16;

export class Settling {
  readonly #settleMs: number;
  readonly #entries: Entry[] = [];
  #connection = -1;
  /** When the last successful call on this connection was sent. */
  #provedMs = Number.NEGATIVE_INFINITY;
  #settled: Position | undefined;

  /** @param settleMs 0 = every answer is already confirmed by Redis. */
  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** The highest position that may be rested upon; undefined until there is one. Never goes back. */
  get settled(): Position | undefined {
    return this.#settled;
  }

  observe(answer: RowAnswer): void {
    if (answer.connection !== this.#connection) {
      this.#connection = answer.connection;
      this.#entries.length = 0;
    }
    this.#provedMs = answer.sentAtMs;
    this.#note(answer);
    let done = 0;
    for (const entry of this.#entries) {
      if (this.#settleMs > 0 && entry.atMs + this.#settleMs > answer.sentAtMs) break;
      if (this.#settled === undefined || entry.position > this.#settled) this.#settled = entry.position;
      done += 1;
    }
    // The newest entry stays: a row that does not move keeps the time at which it was first seen there.
    this.#entries.splice(0, Math.min(done, this.#entries.length - 1));
  }

  /** lost: there was a reconnect before it settled. */
  outcomeOf(stored: Stored): 'settled' | 'pending' | 'lost' {
    if (this.#settleMs === 0) return 'settled';
    if (stored.connection < this.#connection) return 'lost';
    if (stored.connection > this.#connection) return 'pending';
    return this.#provedMs >= stored.answeredAtMs + this.#settleMs ? 'settled' : 'pending';
  }

  #note({ position, answeredAtMs }: RowAnswer): void {
    const last = this.#entries.at(-1);
    if (last?.position === position) return;
    if (last && answeredAtMs - last.sinceMs < this.#settleMs / ENTRIES_PER_SETTLE) {
      last.position = position;
      last.atMs = answeredAtMs;
      return;
    }
    this.#entries.push({ position, sinceMs: answeredAtMs, atMs: answeredAtMs });
  }
}
