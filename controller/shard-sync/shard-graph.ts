/**
 * Lineage: from the shards that Kinesis lists and the lease rows that exist to the rows that are missing. Pure.
 * The rule behind all cases: a shard whose lineage is known begins at TRIM_HORIZON and waits for its parents; the
 * initial position is only for the first shards of a fleet, whose lineage is cut there on purpose.
 */

import { isFinished, type Lease } from '../../lease/lease.ts';
import type { Checkpoint } from '../../lease/position.ts';
import type { InitialPosition } from '../config.ts';
import type { ListedShard, ShardListing } from '../fleet-view.ts';

export interface WantedLease {
  readonly shard: ListedShard;
  readonly checkpoint: Checkpoint;
  /** Shards that must be finished first. */
  readonly parents: readonly string[];
}

/** What was seen of a row earlier in this term of leadership. */
export interface RememberedLease {
  readonly parents: readonly string[];
  readonly isFinished: boolean;
}

export interface ShardGraphInput {
  readonly listing: ShardListing;
  /** The fleet's lease rows by shard id. */
  readonly leases: ReadonlyMap<string, Lease>;
  /** Shards whose row is there and cannot be understood. */
  readonly broken: ReadonlySet<string>;
  /** Every row that was seen earlier in this term: one that is missing now was deleted by hand. */
  readonly remembered: ReadonlyMap<string, RememberedLease>;
  readonly initial: InitialPosition;
}

const TRIM_HORIZON: Checkpoint = { kind: 'TRIM_HORIZON' };

/** Rows to create, parents before children. */
export function missingLeases(input: ShardGraphInput): WantedLease[] {
  const shards = parentsFirst(input.listing.shards);
  if (input.leases.size === 0 && input.remembered.size === 0) {
    // A fleet of which no row can be understood has begun: somebody mends one, and that says where.
    return input.broken.size === 0 ? firstLeases(shards, input) : [];
  }
  const present = new Set([...input.leases.keys(), ...input.broken]);
  const named = new Set([...input.leases.values()].filter(waitsForParents).flatMap((lease) => lease.parents));
  const ancestors = ancestorsOf(present, input.listing.shards);
  const strays = new Map<string, Checkpoint>();
  const wanted: WantedLease[] = [];
  for (const shard of shards) {
    if (present.has(shard.shardId)) continue;
    const lease = missingLease(shard, input, { present, named, ancestors, strays });
    if (!lease) continue;
    wanted.push(lease);
    present.add(shard.shardId);
  }
  return wanted;
}

/** Parents of listed shards that are to have rows now and that neither the table nor the stream has: expired. */
export function expiredParents(wanted: readonly WantedLease[], { leases, broken, listing }: ShardGraphInput): string[] {
  const known = new Set([...leases.keys(), ...broken, ...listing.shards.map((shard) => shard.shardId)]);
  return wanted.flatMap(({ parents }) => parents.filter((parent) => !known.has(parent)));
}

/** One that was ever given away had no unfinished parent any more: whether those have rows says nothing. */
function waitsForParents(lease: Lease): boolean {
  return lease.generation === 0 && !isFinished(lease);
}

/** Listed children that their parent's row does not name yet, by the parent's shard id. */
export function unnamedChildren(
  shards: readonly ListedShard[],
  leases: ReadonlyMap<string, Lease>,
): Map<string, string[]> {
  const unnamed = new Map<string, string[]>();
  for (const shard of shards) {
    for (const parent of shard.parents) {
      const lease = leases.get(parent);
      if (!lease || lease.children.includes(shard.shardId)) continue;
      unnamed.set(parent, [...(unnamed.get(parent) ?? []), shard.shardId]);
    }
  }
  return unnamed;
}

interface Lineage {
  readonly present: ReadonlySet<string>;
  /** Shards that some row waits for. */
  readonly named: ReadonlySet<string>;
  /** Ancestors of shards that have rows. */
  readonly ancestors: ReadonlySet<string>;
  /** Shards that get rows now though nothing led to them, and where they and what descends from them begin. */
  readonly strays: Map<string, Checkpoint>;
}

function missingLease(shard: ListedShard, input: ShardGraphInput, lineage: Lineage): WantedLease | undefined {
  const remembered = input.remembered.get(shard.shardId);
  // Read to its end, and the row was removed too early: nobody reads it again.
  if (remembered?.isFinished) return undefined;
  if (remembered) return { shard, checkpoint: TRIM_HORIZON, parents: remembered.parents };
  if (shard.parents.some((parent) => lineage.present.has(parent))) {
    const stray = strayAncestry(shard, lineage);
    if (stray) lineage.strays.set(shard.shardId, stray);
    return { shard, checkpoint: stray ?? TRIM_HORIZON, parents: shard.parents };
  }
  // A child waits for it, so its row was there once; its own parents were cut off or are long finished.
  if (lineage.named.has(shard.shardId)) return { shard, checkpoint: TRIM_HORIZON, parents: [] };
  // Read long ago, or left out by the initial position.
  if (lineage.ancestors.has(shard.shardId)) return undefined;
  const checkpoint = strayCheckpoint(input);
  lineage.strays.set(shard.shardId, checkpoint);
  return { shard, checkpoint, parents: [] };
}

/** When all that leads to it are strays of this very pass: it may be as old as they are. */
function strayAncestry({ parents }: ListedShard, { present, strays }: Lineage): Checkpoint | undefined {
  const [first, ...others] = parents.filter((parent) => present.has(parent)).map((parent) => strays.get(parent));
  return others.every((checkpoint) => checkpoint) ? first : undefined;
}

/**
 * Of a shard that nothing leads to: the creation of the first rows was interrupted, or a first row was deleted. Closed
 * or not: what it has left from where the fleet began is read before what descends from it.
 */
function strayCheckpoint({ initial, leases }: ShardGraphInput): Checkpoint {
  if (initial.kind !== 'LATEST') return initial;
  const anchors = [...leases.values()].flatMap(({ checkpoint }) =>
    checkpoint.kind === 'AT_TIMESTAMP' ? [checkpoint.timestampMs] : [],
  );
  // Never "now": what came since the fleet began would be skipped. The ledger knows what was counted already.
  return anchors.length > 0 ? { kind: 'AT_TIMESTAMP', timestampMs: Math.min(...anchors) } : TRIM_HORIZON;
}

function firstLeases(shards: readonly ListedShard[], { initial, listing }: ShardGraphInput): WantedLease[] {
  switch (initial.kind) {
    case 'LATEST': {
      const now: Checkpoint = { kind: 'AT_TIMESTAMP', timestampMs: listing.listedAtMs };
      const open = shards.filter((shard) => !shard.isClosed);
      return open.map((shard) => ({ shard, checkpoint: now, parents: [] }));
    }
    case 'TRIM_HORIZON': {
      const listed = new Set(shards.map((shard) => shard.shardId));
      return shards.map((shard) => ({
        shard,
        checkpoint: TRIM_HORIZON,
        parents: shard.parents.filter((parent) => listed.has(parent)),
      }));
    }
    case 'AT_TIMESTAMP':
      return firstLeasesAt(shards, initial, new Set(listing.openAtStart ?? []));
  }
}

/**
 * The shards open at that time begin there, their descendants at TRIM_HORIZON after them, their ancestors are left
 * out. Any other shard is without relation to them (its parents expired, or the service cannot say what was open):
 * it begins at that time too, which for a younger shard is its beginning and for an older one its end.
 */
function firstLeasesAt(
  shards: readonly ListedShard[],
  initial: Checkpoint,
  openThen: ReadonlySet<string>,
): WantedLease[] {
  const before = ancestorsOf(openThen, shards);
  const after = new Set(openThen);
  const wanted: WantedLease[] = [];
  for (const shard of shards) {
    if (before.has(shard.shardId)) continue;
    const isAfter = !openThen.has(shard.shardId) && shard.parents.some((parent) => after.has(parent));
    if (isAfter) after.add(shard.shardId);
    const included = (parent: string): boolean => wanted.some((lease) => lease.shard.shardId === parent);
    wanted.push({
      shard,
      checkpoint: isAfter ? TRIM_HORIZON : initial,
      parents: shard.parents.filter(included),
    });
  }
  return wanted;
}

/** All listed ancestors of the given shards, themselves only where one descends from another. */
function ancestorsOf(shardIds: ReadonlySet<string>, shards: readonly ListedShard[]): Set<string> {
  const parentsOf = new Map(shards.map((shard) => [shard.shardId, shard.parents]));
  const ancestors = new Set<string>();
  const left = [...shardIds];
  for (let shardId = left.pop(); shardId !== undefined; shardId = left.pop()) {
    for (const parent of parentsOf.get(shardId) ?? []) {
      if (ancestors.has(parent)) continue;
      ancestors.add(parent);
      left.push(parent);
    }
  }
  return ancestors;
}

/** Kinesis lists in the order of ids, which need not be that of lineage. */
function parentsFirst(shards: readonly ListedShard[]): ListedShard[] {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  const ordered = new Set<ListedShard>();
  const visiting = new Set<string>();
  const visit = (shard: ListedShard): void => {
    if (ordered.has(shard) || visiting.has(shard.shardId)) return;
    visiting.add(shard.shardId);
    for (const id of shard.parents) {
      const parent = byId.get(id);
      if (parent) visit(parent);
    }
    ordered.add(shard);
  };
  for (const shard of shards) visit(shard);
  return [...ordered];
}
