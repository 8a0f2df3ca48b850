/**
 * One planned move of a lease as the controller sees it, from the row that it wrote to the row that ends it: a table of
 * states, drawn in docs/protocol.md, and what the row says as events of it. Pure. Where the lease goes is the
 * assignment's business: a target that dies is exchanged (retarget) while the old owner goes on draining.
 *
 * Resting   no move is under way
 * Draining  the old owner ends what is outstanding, checkpoints and releases; the new one prepares
 * Forcing   the old owner had its time, or has none left: the controller writes `force`
 * Released  the old owner let go: the new one begins, in the next generation
 * Finished  the old owner read the shard to its end first
 * Forced    the old owner is fenced: as released
 */
import { isFinished, type Lease } from '../../lease/lease.ts';

export type HandoffState = 'Resting' | 'Draining' | 'Forcing' | 'Released' | 'Finished' | 'Forced';

export type HandoffEvent =
  /** The row has an old owner. In another generation, or with another one, it is a new move. */
  | 'HandoffSeen'
  /** It has none any more: released, or removed by hand. Also by an old owner that began anew and reads no more. */
  | 'OldOwnerLetGo'
  | 'ShardEnded'
  | 'DeadlinePassed'
  /** Or is nobody that is known: one that restarted has another id. */
  | 'OldOwnerDied'
  | 'ForceWon'
  /** The row was not as it was seen: look again. */
  | 'ForceLost';

const TABLE: Readonly<Record<HandoffState, Partial<Readonly<Record<HandoffEvent, HandoffState>>>>> = {
  Resting: { HandoffSeen: 'Draining', OldOwnerDied: 'Forcing' },
  Draining: {
    HandoffSeen: 'Draining',
    OldOwnerLetGo: 'Released',
    ShardEnded: 'Finished',
    DeadlinePassed: 'Forcing',
    OldOwnerDied: 'Forcing',
  },
  Forcing: { ForceWon: 'Forced', ForceLost: 'Draining' },
  Released: {},
  Finished: {},
  Forced: {},
};

export const HANDOFF_STATES = Object.keys(TABLE) as readonly HandoffState[];

/** An event that cannot come, or changes nothing, leads back to the state itself. */
export function nextState(state: HandoffState, event: HandoffEvent): HandoffState {
  return TABLE[state][event] ?? state;
}

/** A move under way, as first seen by this controller: a new leader gives it a new deadline. */
export interface Draining {
  readonly key: string;
  readonly generation: number;
  readonly old: string;
  readonly sinceMs: number;
}

export interface HandoffFacts {
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly isOldAlive: boolean;
}

/** The move that the row tells of, with the time at which it was first seen; undefined when it tells of none. */
export function moveOf(
  tracked: Draining | undefined,
  lease: Lease | undefined,
  { nowMs }: Pick<HandoffFacts, 'nowMs'>,
): Draining | undefined {
  const old = lease?.checkpointOwner;
  if (!lease || old === undefined) return undefined;
  const isSame = tracked?.generation === lease.generation && tracked.old === old;
  return isSame ? tracked : { key: lease.key, generation: lease.generation, old, sinceMs: nowMs };
}

/** @param lease the row as it is now; absent when it was deleted. @param move of moveOf. */
export function eventOf(move: Draining | undefined, lease: Lease | undefined, facts: HandoffFacts): HandoffEvent {
  if (!move) return lease && isFinished(lease) ? 'ShardEnded' : 'OldOwnerLetGo';
  if (!facts.isOldAlive) return 'OldOwnerDied';
  return facts.nowMs - move.sinceMs >= facts.deadlineMs ? 'DeadlinePassed' : 'HandoffSeen';
}
