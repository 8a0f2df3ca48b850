/**
 * What a row found by a refused write says about the write itself: is this the state that it would have left? Pure.
 * dynamodb-lease-store.ts says for each write why an answer here means that the write, or its equal, happened.
 */
import { checkpointText } from '../checkpoint-text.ts';
import type { Lease } from '../lease.ts';

export function isHeld(lease: Lease, owner: string, generation: number): boolean {
  return lease.owner === owner && lease.checkpointOwner === undefined && lease.generation === generation;
}

export function isHanding(lease: Lease, old: string, to: string, generation: number): boolean {
  return lease.owner === to && lease.checkpointOwner === old && lease.generation === generation;
}

export function isHandedOver(lease: Lease, generation: number): boolean {
  return lease.owner !== undefined && lease.checkpointOwner === undefined && lease.generation === generation + 1;
}

export function isUnowned(lease: Lease, generation: number): boolean {
  return lease.owner === undefined && lease.checkpointOwner === undefined && lease.generation === generation;
}

export function isResetTo(lease: Lease, resetFloor: string): boolean {
  return [lease.checkpoint, lease.resetFloor].every((found) => found && checkpointText(found) === resetFloor);
}
