/**
 * Looks, after each full scan, whether unfinished leases cover the whole hash range. A hole is shown at once (gauge) and
 * is acted upon when three looks in a row found the same one: rows for the listed shards that fill it are created, to be
 * read whole after their unfinished parents. Mostly shard-sync was quicker: this is the check on its reasoning.
 */
import { isFinished, type Lease } from '../../lease/lease.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Conditions } from '../conditions.ts';
import { brokenShards, type FleetView, type ListedShard, leaseKeyPrefix, leasesByShard } from '../fleet-view.ts';
import { type HashRange, hashRangeHoles, shardsFor } from '../hash-ranges.ts';
import type { Reconciler } from '../reconciler.ts';

export interface AuditOptions {
  readonly logger: Logger;
  readonly conditions: Conditions;
  /** Told of each lease row that was created to fill a hole. */
  readonly onRepaired: () => void;
}

const LOOKS_UNTIL_REPAIR = 3;

export function createAudit({ logger, conditions, onRepaired }: AuditOptions): Reconciler {
  let scan = 0;
  /** Looks in a row that found the same hole. */
  let seen = new Map<string, number>();

  async function repair(view: FleetView, prefix: string, hole: HashRange): Promise<void> {
    const leases = leasesByShard(view);
    const broken = brokenShards(view);
    const shards = view.listing?.shards ?? [];
    const fields = { from: String(hole.from), through: String(hole.through) };
    conditions.raise('HashRangeHole', fields);
    for (const shard of shardsFor(hole, leases, shards)) {
      const parents = shard.parents.filter((parent) => broken.has(parent) || isUnread(parent, leases));
      const created = await view.leases.create({
        key: prefix + shard.shardId,
        checkpoint: { kind: 'TRIM_HORIZON' },
        parents,
        startingHashKey: shard.startingHashKey,
        endingHashKey: shard.endingHashKey,
      });
      if (!created) continue;
      logger.error('hash range hole repaired', { ...fields, shard: shard.shardId, parents });
      onRepaired();
    }
  }

  return {
    name: 'audit',
    async reconcile(view) {
      const { listing, fleet, leases } = view;
      if (!listing || !fleet || !leases.isComplete() || leases.scans === scan) return;
      scan = leases.scans;
      const own = leasesByShard(view);
      // Before the first rows there is nothing to compare; shards without ranges (some emulators) say nothing.
      if (own.size === 0 || !knowsRanges(listing.shards)) return;
      const holes = hashRangeHoles(own, listing.shards);
      view.hashRangeHoles = holes.length;
      if (holes.length === 0) conditions.clear('HashRangeHole');
      seen = new Map(holes.map((hole) => [keyOf(hole), (seen.get(keyOf(hole)) ?? 0) + 1]));
      const prefix = leaseKeyPrefix(fleet);
      for (const hole of holes) {
        if ((seen.get(keyOf(hole)) ?? 0) >= LOOKS_UNTIL_REPAIR) await repair(view, prefix, hole);
      }
    },
  };
}

function keyOf({ from, through }: HashRange): string {
  return `${from}-${through}`;
}

function isUnread(shardId: string, leases: ReadonlyMap<string, Lease>): boolean {
  const lease = leases.get(shardId);
  return lease !== undefined && !isFinished(lease);
}

function knowsRanges(shards: readonly ListedShard[]): boolean {
  return shards.every((shard) => shard.startingHashKey !== '' && shard.endingHashKey !== '');
}
