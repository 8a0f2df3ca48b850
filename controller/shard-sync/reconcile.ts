/**
 * Creates the lease rows that the listed shards need and that are not there, and tells each parent's row the names
 * of its children. What is missing, and where it begins, is decided in shard-graph.ts.
 */
import { isFinished, type Lease } from '../../lease/lease.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { InitialPosition } from '../config.ts';
import { brokenShards, type FleetView, leaseKeyPrefix, leasesByShard, type ShardListing } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import type { Reconciler } from '../reconciler.ts';
import {
  expiredParents,
  missingLeases,
  type RememberedLease,
  unnamedChildren,
  type WantedLease,
} from './shard-graph.ts';

const WRITES_AT_ONCE = 16;

export interface ShardSyncOptions {
  readonly logger: Logger;
  readonly initial: InitialPosition;
  /** Told of each lease row that was created because one that had been there was missing. */
  readonly onRecreated: () => void;
  /** Told of each lease row that was created without a parent that expired before anybody had a row for it. */
  readonly onParentMissing: () => void;
}

export function createShardSync(options: ShardSyncOptions): Reconciler {
  const { logger, initial, onRecreated, onParentMissing } = options;
  /** Every row of this stream that was seen in this term, by shard id. */
  const remembered = new Map<string, RememberedLease>();
  let rememberedPrefix = '';
  let namedFor: ShardListing | undefined;

  /** Shard ids repeat when a stream is created again; what is gone from table and stream is not asked for any more. */
  function remember(prefix: string, leases: ReadonlyMap<string, Lease>, { gone }: ShardListing): void {
    for (const shardId of gone) if (!leases.has(shardId)) remembered.delete(shardId);
    for (const lease of leases.values()) {
      remembered.set(lease.shardId, { parents: lease.parents, isFinished: isFinished(lease) });
    }
    rememberedPrefix = prefix;
  }

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
      if (prefix !== rememberedPrefix) remembered.clear();
      const leases = leasesByShard(view);
      // A recreated stream is read whole: nothing of it was ever read, whatever the first one began with.
      const isRecreated = fleet.previousCreationEpochSeconds !== undefined;
      const broken = brokenShards(view);
      const input = { listing, leases, broken, remembered, initial: isRecreated ? WHOLE : initial };
      const wanted = missingLeases(input);
      for (const parent of expiredParents(wanted, input)) {
        logger.warn('parent expired unread, or before this fleet began: its children do not wait for it', { parent });
        onParentMissing();
      }
      remember(prefix, leases, listing);
      await inParallel(wanted, WRITES_AT_ONCE, (lease) => create(view, prefix, lease));
      await nameChildren(view, prefix, listing);
    },
  };
}

const WHOLE: InitialPosition = { kind: 'TRIM_HORIZON' };
