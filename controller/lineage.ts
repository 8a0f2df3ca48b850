/**
 * Which leases wait for which: a child may begin only when every parent is finished, or is gone from the table and
 * from the stream alike (expired out of retention, so that nobody will ever read it). That one listing does not show a
 * parent proves nothing: listings may have holes for a moment.
 */
import { isFinished, type Lease } from '../lease/lease.ts';
import type { ShardListing } from './fleet-view.ts';

/** Parents that this lease has to wait for, by shard id. Without a listing a parent without a row counts as one. */
export function unfinishedParents(
  lease: Lease,
  leases: ReadonlyMap<string, Lease>,
  listing: ShardListing | undefined,
): string[] {
  return lease.parents.filter((shardId) => {
    const parent = leases.get(shardId);
    if (parent) return !isFinished(parent);
    return !listing?.gone.has(shardId);
  });
}
