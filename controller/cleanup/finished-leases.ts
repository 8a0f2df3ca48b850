/**
 * Which lease rows have served their time. Pure. A finished one is what lets its children begin, and what tells that
 * its shard was read: it goes when the stream has the shard no more (retention has passed) and each of its children has
 * a checkpoint of its own, so that nobody needs it to know where to begin.
 */
import { isFinished, type Lease } from '../../lease/lease.ts';
import { isCovered, rangeOf } from '../hash-ranges.ts';

/**
 * @param leases the fleet's own, by shard id.
 * @param gone shards that the stream has no more; those listed, and those of which nobody knows, are not in it.
 */
export function outlivedLeases(leases: ReadonlyMap<string, Lease>, gone: ReadonlySet<string>): Lease[] {
  const children = new Map<string, Set<string>>();
  const name = (parent: string, child: string): void => {
    children.set(parent, (children.get(parent) ?? new Set()).add(child));
  };
  for (const lease of leases.values()) {
    for (const parent of lease.parents) name(parent, lease.shardId);
    for (const child of lease.children) name(lease.shardId, child);
  }
  return [...leases.values()].filter(
    (lease) =>
      isFinished(lease) && gone.has(lease.shardId) && haveBegun(lease, children.get(lease.shardId), leases, gone),
  );
}

/** Rows of an earlier stream of the same name, which the fleet has left behind. */
export function leasesLeftBehind(leases: readonly Lease[], prefix: string): Lease[] {
  const [account, stream, created] = prefix.split(':');
  return leases.filter(({ key }) => {
    const [itsAccount, itsStream, itsCreated, ...rest] = key.split(':');
    return itsAccount === account && itsStream === stream && rest.length === 1 && Number(itsCreated) < Number(created);
  });
}

/** A child without a row is one whose own row was outlived before, as long as the stream has it no more either. */
function haveBegun(
  parent: Lease,
  children: ReadonlySet<string> | undefined,
  leases: ReadonlyMap<string, Lease>,
  gone: ReadonlySet<string>,
): boolean {
  if (!children) return false;
  const known = [...children].map((shardId) => ({ shardId, lease: leases.get(shardId) }));
  if (!known.every(({ shardId, lease }) => (lease ? hasRealCheckpoint(lease) : gone.has(shardId)))) return false;
  // Of a split one child may not be known yet. With a child's row gone its range is not known, and does not matter.
  const rows = known.map(({ lease }) => lease).filter((lease) => lease !== undefined);
  return rows.length < known.length || isCovered(rangeOf(parent), rows.map(rangeOf));
}

function hasRealCheckpoint({ checkpoint }: Lease): boolean {
  return checkpoint.kind === 'AFTER' || checkpoint.kind === 'SHARD_END';
}
