/**
 * What this process has tried to write of each shard's checkpoint, kept over reopenings and restarts in the same
 * generation. A version is never used for two contents, and no attempt goes below an earlier one: an unanswered write
 * may still arrive, and a checkpoint must never go back. A lease that was given back ends its generation for this
 * process, and its page; so the book holds the leases of now, and those that were lost and did not come back.
 */
import type { LeaseKey } from '../../lease/lease.ts';
import { maxPosition, type Position, START } from '../../lease/position.ts';

export interface CheckpointPage {
  /** The next version, larger than the row's and than any used here. */
  nextVersion(): number;
  /** Highest position that was tried in this generation. */
  readonly highest: Position;
  tried(position: Position): void;
}

class Page implements CheckpointPage {
  readonly generation: number;
  highest: Position = START;
  #version = 0;

  constructor(generation: number) {
    this.generation = generation;
  }

  nextVersion(): number {
    this.#version += 1;
    return this.#version;
  }

  tried(position: Position): void {
    this.highest = maxPosition(this.highest, position);
  }

  continueFrom(rowVersion: number): this {
    this.#version = Math.max(this.#version, rowVersion);
    return this;
  }
}

export class CheckpointBook {
  readonly #pages = new Map<LeaseKey, Page>();

  /** @param rowVersion `checkpointVersion` of the lease row as it was just read. */
  pageOf(key: LeaseKey, generation: number, rowVersion: number): CheckpointPage {
    const known = this.#pages.get(key);
    const page = known?.generation === generation ? known : new Page(generation);
    this.#pages.set(key, page);
    return page.continueFrom(rowVersion);
  }

  /** The lease was given back, or its shard ended: nobody writes in that generation any more. */
  close(key: LeaseKey, generation: number): void {
    if (this.#pages.get(key)?.generation === generation) this.#pages.delete(key);
  }
}
