/**
 * Creates the lease rows that the listed shards need and that are not there, and tells each parent's row the names
 * of its children. What is missing, and where it begins, is decided in shard-graph.ts.
 */
import type { Logger } from '../../runtime/logger.ts';
import type { InitialPosition } from '../config.ts';
import { type FleetView, leaseKeyPrefix, leasesByShard, type ShardListing } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import type { Reconciler } from '../reconciler.ts';
import { missingLeases, unnamedChildren, type WantedLease } from './shard-graph.ts';

const WRITES_AT_ONCE = 16;

export interface ShardSyncOptions {
  readonly logger: Logger;
  readonly initial: InitialPosition;
  /** Told of each lease row that was created because one that had been there was missing. */
  readonly onRecreated: () => void;
}

export function createShardSync({ logger, initial, onRecreated }: ShardSyncOptions): Reconciler {
  /** Parents of every row seen in this term, by shard id. */
  const remembered = new Map<string, readonly string[]>();
  let namedFor: ShardListing | undefined;

  async function create(view: FleetView, prefix: string, wanted: WantedLease): Promise<void> {
    const { shard, checkpoint, parents } = wanted;
    const created = await view.leases.create({
      key: prefix + shard.shardId,
      checkpoint,
      parents,
      ...(shard.startingHashKey === '' ? {} : { startingHashKey: shard.startingHashKey }),
      ...(shard.endingHashKey === '' ? {} : { endingHashKey: shard.endingHashKey }),
    });
    if (!created) return;
    const fields = { shard: shard.shardId, checkpoint: checkpoint.kind, parents };
    if (!remembered.has(shard.shardId)) return logger.info('lease created', fields);
    logger.warn('lease was missing and is created again', fields);
    onRecreated();
  }

  async function nameChildren(view: FleetView, prefix: string, listing: ShardListing): Promise<void> {
    if (namedFor === listing) return;
    const unnamed = [...unnamedChildren(listing.shards, leasesByShard(view))];
    await inParallel(unnamed, WRITES_AT_ONCE, async ([parent, children]) => {
      await view.leases.addChildren(prefix + parent, children);
    });
    namedFor = listing;
  }

  return {
    name: 'shard-sync',
    async reconcile(view) {
      const { listing, fleet } = view;
      if (!listing || !fleet || !view.leases.isComplete()) return;
      const prefix = leaseKeyPrefix(fleet);
      const leases = leasesByShard(view);
      const wanted = missingLeases({ listing, leases, remembered, initial });
      for (const lease of leases.values()) remembered.set(lease.shardId, lease.parents);
      await inParallel(wanted, WRITES_AT_ONCE, (lease) => create(view, prefix, lease));
      await nameChildren(view, prefix, listing);
    },
  };
}
