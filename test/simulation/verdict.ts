/** Which promises were broken. The first one counts: what comes after it is often its consequence. */

/** Those of docs/testing.md that need neither files nor windows, and those that only a simulation can ask for. */
export type InvariantName =
  | 'SlotExact'
  | 'NothingSkipped'
  | 'CoversCheckpoint'
  | 'CountExact'
  | 'OneOwnerPerGeneration'
  | 'OneWriter'
  | 'OneOwnerEffects'
  | 'ParentsFirst'
  | 'NoHole'
  | 'CheckpointNeverBack'
  | 'Progress'
  /** Every shard has a living owner that works, and every living worker is of the fleet, soon after faults stop. */
  | 'NoOrphan'
  /** Leases do not wander when nothing happens. */
  | 'BoundedMoves'
  /** Of the copies of an identity below the checkpoints exactly one went on to the sinks as fresh. */
  | 'FreshOnce'
  /** Who sends a commit again because its answer was lost learns that it was applied. */
  | 'RetryKnown'
  /** "ok" and "applied" are said only of the row, and of the write, that was meant. */
  | 'ChainKept'
  /** Nothing in the fleet throws what nobody expects. */
  | 'NoDefect';

export interface Violation {
  readonly invariant: InvariantName;
  readonly atMs: number;
  readonly what: string;
}

export class Verdict {
  first: Violation | undefined;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @param what called only when the promise is broken. */
  require(holds: boolean, invariant: InvariantName, what: () => string): void {
    if (holds || this.first) return;
    this.first = { invariant, atMs: this.#nowMs(), what: what() };
  }
}
