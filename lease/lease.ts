/**
 * The lease: the row that gives one worker the right to one shard, and the pure questions asked of it.
 * Protocol: docs/protocol.md. The writes, with their conditions, are in lease-store.ts.
 */
import type { Checkpoint, Position } from './position.ts';

/** `account:stream:creationEpochSeconds:shardId` */
export type LeaseKey = string;

export interface Lease {
  readonly key: LeaseKey;
  readonly shardId: string;
  /** Worker id; absent = free. During a handoff: the new owner. */
  readonly owner?: string;
  /** During a handoff only: the old owner, who may still checkpoint. */
  readonly checkpointOwner?: string;
  /** Fencing token (`leaseCounter`): +1 at each change of owner, never otherwise. */
  readonly generation: number;
  readonly checkpoint: Checkpoint;
  /** Number of the last checkpoint write; an owner continues counting from it. */
  readonly checkpointVersion: number;
  readonly parents: readonly string[];
  readonly children: readonly string[];
  /** Decimal text of the 128-bit hash range, both ends inclusive. */
  readonly startingHashKey?: string;
  readonly endingHashKey?: string;
  readonly ownerSwitchesSinceCheckpoint: number;
  /** Name of the ledger that has this shard's rows; absent until the first owner bound it. */
  readonly ledgerId?: string;
  /** Checkpoint at which the ledger's rows were created, in the form of checkpoint-text.ts. */
  readonly ledgerStart?: string;
  /** Prepared checkpoint: the range above the checkpoint up to it may have been written to files already. */
  readonly pending?: Position;
  /** Where an operator's reset put the checkpoint: a start below a ledger row's floor is meant, from there on. */
  readonly resetFloor?: Checkpoint;
  /** Up to where the streaming sinks of the owner in `generation` had everything when it released. */
  readonly deliveredTo?: DeliveredTo;
}

export interface DeliveredTo {
  readonly position: Position;
  readonly generation: number;
}

export interface NewLease {
  readonly key: LeaseKey;
  readonly checkpoint: Checkpoint;
  readonly parents: readonly string[];
  readonly startingHashKey?: string;
  readonly endingHashKey?: string;
}

export function leaseKeyOf(account: string, stream: string, creationEpochSeconds: number, shardId: string): LeaseKey {
  return `${account}:${stream}:${creationEpochSeconds}:${shardId}`;
}

export function shardIdOf(key: LeaseKey): string {
  return key.slice(key.lastIndexOf(':') + 1);
}

/** Of the stream that the lease is for; undefined when the key does not say (KCL's single-stream form). */
export function creationEpochSecondsOf(key: LeaseKey): number | undefined {
  const seconds = key.split(':').at(-2) ?? '';
  return /^\d{1,12}$/.test(seconds) ? Number(seconds) : undefined;
}

export function isFinished(lease: Lease): boolean {
  return lease.checkpoint.kind === 'SHARD_END';
}

export function isFree(lease: Lease): boolean {
  return lease.owner === undefined && !isFinished(lease);
}

export function isHandingOff(lease: Lease): boolean {
  return lease.checkpointOwner !== undefined;
}

/** May this worker read the shard and write its checkpoints in the generation of this row? (protocol: "mine") */
export function isMine(lease: Lease, workerId: string): boolean {
  return lease.checkpointOwner === undefined ? lease.owner === workerId : lease.checkpointOwner === workerId;
}

/** Owner in a row without `checkpointOwner`: the generation found there is the owner's to start with. */
export function isHeldBy(lease: Lease, workerId: string): boolean {
  return lease.owner === workerId && lease.checkpointOwner === undefined;
}
