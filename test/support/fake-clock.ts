/**
 * Time that only moves when a test says so. Sleepers wake in time order, and between two of them every promise that
 * can go on does: async loops run as they would, in no time.
 */
import type { Clock } from '../../runtime/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
  /** It was woken, or waits no more. */
  isDone: boolean;
}

/** One for all: its stack would cost more than the deadline. */
const TIMED_OUT = new DOMException('the operation timed out', 'TimeoutError');

export class FakeClock implements Clock {
  /** Added to the wall clock alone: what a host with a wrong clock sees. */
  wallSkewMs = 0;
  readonly #startWallMs: number;
  #nowMs = 0;
  #order = 0;
  /** A heap, the next to wake first; those that are done go when they come to the top. */
  readonly #sleepers: Sleeper[] = [];
  #sleeping = 0;

  constructor(startWallMs = Date.UTC(2026, 10, 21)) {
    this.#startWallMs = startWallMs;
  }

  wallMs(): number {
    return this.#startWallMs + this.#nowMs + this.wallSkewMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#done(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = this.#addSleeper(ms, wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  deadline(ms: number, parent?: AbortSignal): AbortSignal {
    const controller = new AbortController();
    const sleeper = this.#addSleeper(ms, () => {
      this.#done(sleeper);
      controller.abort(TIMED_OUT);
    });
    return parent ? AbortSignal.any([parent, controller.signal]) : controller.signal;
  }

  /** Moves time on by `ms`, waking everybody who is due on the way. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.flush();
    for (let next = this.#next(); next && next.atMs <= untilMs; next = this.#next()) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await this.flush();
    }
    this.#nowMs = untilMs;
  }

  /** Jumps from sleeper to sleeper until the promise settles. Throws when it does not within `limitMs`. */
  async runUntil<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    const untilMs = this.#nowMs + limitMs;
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await this.flush();
    while (!settled) {
      const next = this.#next();
      if (!next || next.atMs > untilMs) throw new Error(`nothing settled the promise within ${limitMs} ms`);
      await this.advance(next.atMs - this.#nowMs);
    }
    return promise;
  }

  /** As `runUntil`, for a state of the world. */
  async advanceUntil(isTrue: () => boolean, limitMs = 600_000): Promise<void> {
    const untilMs = this.#nowMs + limitMs;
    await this.flush();
    while (!isTrue()) {
      const next = this.#next();
      if (!next || next.atMs > untilMs) throw new Error(`it did not become true within ${limitMs} ms`);
      await this.advance(next.atMs - this.#nowMs);
    }
  }

  /** How many wait for time to pass: a loop that ended leaves none. */
  sleeping(): number {
    return this.#sleeping;
  }

  /** Lets every promise go on that can, without time passing. */
  async flush(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  #addSleeper(ms: number, wake: () => void): Sleeper {
    const sleeper = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, wake, isDone: false };
    const heap = this.#sleepers;
    let at = heap.push(sleeper) - 1;
    for (let above = (at - 1) >> 1; at > 0 && isBefore(sleeper, heap[above]!); above = (at - 1) >> 1) {
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = sleeper;
    this.#sleeping++;
    return sleeper;
  }

  #done(sleeper: Sleeper): void {
    if (!sleeper.isDone) this.#sleeping--;
    sleeper.isDone = true;
  }

  #next(): Sleeper | undefined {
    while (this.#sleepers[0]?.isDone) this.#removeFirst();
    return this.#sleepers[0];
  }

  #removeFirst(): void {
    const heap = this.#sleepers;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Sleeper, b: Sleeper): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
