/**
 * The process's bound on record bytes read and not yet done with, shared fairly among its shards. A read reserves what
 * it may bring, then keeps what it brought until the records are released. A shard that holds nothing goes before those
 * that hold something, and nobody holds more than a fair part beside one read: so each shard gets its turn, whatever
 * the others do, and records of 10 MiB on every shard at once make reading wait instead of the process die.
 */
import { getHeapStatistics } from 'node:v8';

const MIB = 1024 * 1024;

/** Bytes held by one read. */
export interface ByteGrant {
  readonly bytes: number;
  /** To what the answer really has: less, or (then others wait the longer) more. */
  resize(bytes: number): void;
  /** Gives all back; a second call does nothing. */
  free(): void;
}

/** One shard's part in the budget. */
export interface BudgetShare {
  /** What this shard may hold without standing in others' way. */
  readonly fairBytes: number;
  /** Undefined once the signal aborted. */
  reserve(bytes: number, signal: AbortSignal): Promise<ByteGrant | undefined>;
  /** Gives back everything; the share is not used again. */
  close(): void;
}

interface Waiter {
  readonly share: Share;
  readonly bytes: number;
  readonly answer: (grant: ByteGrant | undefined) => void;
}

/** A quarter of what the container (or else the heap) may use: an answer exists as text and as bytes for a moment. */
export function defaultBudgetBytes(): number {
  const containerBytes = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const limitBytes = Math.min(containerBytes, getHeapStatistics().heap_size_limit);
  return Math.min(1024 * MIB, Math.max(16 * MIB, Math.floor(limitBytes / 4)));
}

export class ByteBudget {
  readonly totalBytes: number;
  readonly #shares = new Set<Share>();
  /** In order of arrival. */
  readonly #waiters: Waiter[] = [];
  #usedBytes = 0;

  constructor(totalBytes: number = defaultBudgetBytes()) {
    this.totalBytes = totalBytes;
  }

  /** Reserved and held, by all shards. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Reads that wait for bytes. */
  get waiting(): number {
    return this.#waiters.length;
  }

  openShare(): BudgetShare {
    const share: Share = new Share({
      fairBytes: () => this.#fairBytes(),
      wait: (bytes, signal) => this.#wait(share, bytes, signal),
      changed: (bytes) => this.#changed(bytes),
      closed: () => this.#shares.delete(share),
    });
    this.#shares.add(share);
    return share;
  }

  #fairBytes(): number {
    return Math.floor(this.totalBytes / Math.max(1, this.#shares.size));
  }

  #wait(share: Share, bytes: number, signal: AbortSignal): Promise<ByteGrant | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        resolve(undefined);
        this.#serve();
      };
      const answer = (grant: ByteGrant | undefined): void => {
        signal.removeEventListener('abort', leave);
        resolve(grant);
      };
      const waiter: Waiter = { share, bytes, answer };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  #changed(bytes: number): void {
    this.#usedBytes += bytes;
    if (bytes < 0) this.#serve();
  }

  #serve(): void {
    for (let waiter = this.#next(); waiter && this.#hasRoomFor(waiter); waiter = this.#next()) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      waiter.answer(waiter.share.grant(waiter.bytes));
    }
  }

  /** Never passes over the first that holds nothing, however much it asks for. */
  #next(): Waiter | undefined {
    return (
      this.#waiters.find(({ share }) => share.heldBytes === 0) ??
      this.#waiters.find(({ share, bytes }) => share.heldBytes + bytes <= this.#fairBytes())
    );
  }

  /** A read larger than the whole budget is served when nobody holds anything. */
  #hasRoomFor(waiter: Waiter): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + waiter.bytes <= this.totalBytes;
  }
}

interface BudgetSide {
  fairBytes(): number;
  wait(bytes: number, signal: AbortSignal): Promise<ByteGrant | undefined>;
  changed(bytes: number): void;
  closed(): void;
}

class Share implements BudgetShare {
  heldBytes = 0;
  readonly #budget: BudgetSide;
  readonly #grants = new Set<ByteGrant>();

  constructor(budget: BudgetSide) {
    this.#budget = budget;
  }

  get fairBytes(): number {
    return this.#budget.fairBytes();
  }

  reserve(bytes: number, signal: AbortSignal): Promise<ByteGrant | undefined> {
    return this.#budget.wait(bytes, signal);
  }

  grant(bytes: number): ByteGrant {
    let held = 0;
    const hold = (next: number): void => {
      const change = next - held;
      held = next;
      this.heldBytes += change;
      this.#budget.changed(change);
    };
    const grant: ByteGrant = {
      get bytes() {
        return held;
      },
      resize: (next) => {
        if (this.#grants.has(grant)) hold(next);
      },
      free: () => {
        if (this.#grants.delete(grant)) hold(0);
      },
    };
    this.#grants.add(grant);
    hold(bytes);
    return grant;
  }

  close(): void {
    for (const grant of [...this.#grants]) grant.free();
    this.#budget.closed();
  }
}
