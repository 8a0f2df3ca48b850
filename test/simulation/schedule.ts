/**
 * The one queue of everything that will happen, on a time that only moves from event to event. Between two events every
 * promise that can go on does, and nothing else of this JavaScript process runs: no timer, no I/O. So an event and all
 * that follows from it at once are one indivisible step, and the same seed gives the same steps.
 */

/** Who an event happens to. It waits while its owner is paused, and never comes when its owner is dead. */
export interface Owner {
  readonly isDead: boolean;
  readonly pausedUntilMs: number;
}

export interface Entry {
  atMs: number;
  readonly order: number;
  readonly owner: Owner | undefined;
  run: (() => void) | undefined;
}

export class Schedule {
  nowMs = 0;
  /** Events that happened. */
  steps = 0;
  readonly #heap: Entry[] = [];
  #order = 0;

  /** @param owner undefined = the world's own event. */
  at(atMs: number, owner: Owner | undefined, run: () => void): Entry {
    const entry = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, owner, run };
    this.#push(entry);
    return entry;
  }

  after(ms: number, owner: Owner | undefined, run: () => void): Entry {
    return this.at(this.nowMs + ms, owner, run);
  }

  /** Runs until `isOver`, or until nothing is left before `limitMs`. */
  async run(isOver: () => boolean, limitMs: number): Promise<void> {
    await drained();
    while (!isOver()) {
      const next = this.#pop();
      if (!next) return;
      if (next.atMs > limitMs) return this.#push(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      const { owner, run } = next;
      if (run === undefined || owner?.isDead) continue;
      if (owner && owner.pausedUntilMs > this.nowMs) {
        next.atMs = owner.pausedUntilMs;
        this.#push(next);
        continue;
      }
      this.steps += 1;
      run();
      await drained();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Resolves when no promise can go on: a tick comes after all that promises still have to do. */
function drained(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
