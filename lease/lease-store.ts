/**
 * Port to the lease rows of the fleet table. Each method is one conditional write of the protocol; the condition is
 * in the method's comment and is checked by the store, atomically. A lost race is a value, not an exception.
 * Every write needs the row to exist (an update never creates a stub) and touches only the attributes it names.
 * A row that cannot be understood throws BrokenRow: also after a write, which then happened or was lost.
 * Transport failures throw FleetStoreUnavailable (retry): the write may or may not have happened.
 */
import { FleetError } from '../runtime/errors.ts';
import type { BrokenRow } from './broken-row.ts';
import type { Lease, LeaseKey, NewLease } from './lease.ts';
import type { Checkpoint, Position } from './position.ts';

/** won: the row as it is after the write. lost: the row as it was found, absent when there is none. */
export type WriteOutcome =
  | { readonly won: true; readonly lease: Lease }
  | { readonly won: false; readonly lease: Lease | undefined };

/** won: there is no row (any more). lost: the row that is there. */
export type RemoveOutcome =
  | { readonly won: true; readonly lease: undefined }
  | { readonly won: false; readonly lease: Lease };

/** What the controller read: the write is refused when the row has moved on. */
export interface SeenLease {
  readonly key: LeaseKey;
  readonly generation: number;
}

/** The right by which an owner writes: "mine" = counter is `generation` and (`checkpointOwner` is `workerId`, or there is no `checkpointOwner` and the owner is `workerId`). */
export interface OwnedLease {
  readonly key: LeaseKey;
  readonly workerId: string;
  readonly generation: number;
}

export interface ControllerLeaseWrites {
  /** Row absent. Generation 0. A lost create returns the row that is there. */
  create(lease: NewLease): Promise<WriteOutcome>;
  /** No owner, not SHARD_END, counter = g. Effect: owner, g+1. The caller saw every parent finished (which is terminal). */
  assign(seen: SeenLease, owner: string): Promise<WriteOutcome>;
  /** Owner = `from`, no `checkpointOwner`, counter = g. Effect: owner, g+1, one more owner switch. */
  take(seen: SeenLease, from: string, owner: string): Promise<WriteOutcome>;
  /** Owner = `from`, no `checkpointOwner`, counter = g. Effect: owner = `to`, `checkpointOwner` = `from`, counter stays. */
  handoff(seen: SeenLease, from: string, to: string): Promise<WriteOutcome>;
  /** `checkpointOwner` = `old`, owner = `from`, counter = g. Effect: owner = `to`, counter stays. */
  retarget(seen: SeenLease, old: string, from: string, to: string): Promise<WriteOutcome>;
  /** `checkpointOwner` = `old`, counter = g. Effect: `checkpointOwner` removed, g+1. */
  force(seen: SeenLease, old: string): Promise<WriteOutcome>;
  /**
   * Counter = g. Effect: no owner, no `checkpointOwner`, nothing pending, checkpoint and `resetFloor` = `checkpoint`, g+1.
   * On a person's command only.
   */
  reset(seen: SeenLease, checkpoint: Checkpoint): Promise<WriteOutcome>;
  /** Counter = g. Effect: no row. For a finished lease that nobody needs any more, or one of a stream that is no more. */
  remove(seen: SeenLease): Promise<RemoveOutcome>;
  /** Adds children's ids to a lease (lineage for cleanup and KCL); row exists. */
  addChildren(key: LeaseKey, children: readonly string[]): Promise<WriteOutcome>;
}

export interface OwnerLeaseWrites {
  /** Row absent; at a shard end the parent's owner creates the children's rows. */
  create(lease: NewLease): Promise<WriteOutcome>;
  /**
   * `checkpointOwner` = me, counter = g. Effect: `checkpointOwner` removed, g+1, and with a position `deliveredTo` =
   * (position, g). The old owner's last act.
   */
  release(owned: OwnedLease, deliveredTo?: Position): Promise<WriteOutcome>;
  /** *mine* and no `checkpointOwner`. Effect: owner removed, counter stays. */
  free(owned: OwnedLease): Promise<WriteOutcome>;
  /** *mine*, `checkpointVersion` <= version. Effect: `pending` = position, version. Before a file of that range is written. */
  prepare(owned: OwnedLease, position: Position, version: number): Promise<WriteOutcome>;
  /**
   * *mine*, `checkpointVersion` <= version. Effect: checkpoint, nothing pending, version, owner switches 0. A retry passes
   * the same version.
   */
  checkpoint(owned: OwnedLease, checkpoint: Checkpoint, version: number): Promise<WriteOutcome>;
  /** *mine*, `checkpointVersion` <= version; the caller saw all children's rows exist. Effect: SHARD_END, nothing pending, owner and `checkpointOwner` removed. */
  shardEnd(owned: OwnedLease, version: number): Promise<WriteOutcome>;
  /** *mine*. Effect: `ledgerId`, `ledgerStart`. Once per ledger. */
  bind(owned: OwnedLease, ledgerId: string, ledgerStart: string): Promise<WriteOutcome>;
  /**
   * *mine*. Effect: counter = `above` + 1, the owner stays. For a row that was deleted and created again, whose counter
   * began anew below the generations that the ledger has seen of this shard.
   */
  lift(owned: OwnedLease, above: number): Promise<WriteOutcome>;
  /** *mine*; the caller saw that the stream has this shard no more. Effect: no row. */
  discard(owned: OwnedLease): Promise<RemoveOutcome>;
}

export interface LeaseReads {
  /** Strongly consistent. @throws BrokenRow */
  read(key: LeaseKey): Promise<Lease | undefined>;
  /** Every lease row of the table that can be understood, strongly consistent, all pages. */
  readAll(onBroken?: (row: BrokenRow) => void): Promise<Lease[]>;
}

export interface LeaseStore extends ControllerLeaseWrites, OwnerLeaseWrites, LeaseReads {}

/** The table could not be asked, or did not answer: throttled, unreachable, timed out. What was asked may have happened. */
export class FleetStoreUnavailable extends FleetError {
  constructor(operation: string, cause: unknown) {
    super(`the fleet table did not answer ${operation}`, {
      code: 'FleetStoreUnavailable',
      disposition: 'retry',
      cause,
      fields: { operation },
    });
    this.name = 'FleetStoreUnavailable';
  }
}
