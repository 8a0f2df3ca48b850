/**
 * The audit: the ledger's rows against the lease rows. Pure. A checkpoint rests on settled rows, so a row behind it means
 * that Redis lost a longer tail than settling allows for. The owner of an unfinished shard heals it; of a finished one
 * nobody would notice. Leases must have been read before the rows.
 */
import { isFinished, type Lease, type LeaseKey } from '../../lease/lease.ts';
import { checkpointPosition, END } from '../../lease/position.ts';
import type { LedgerRow } from '../../ledger/ledger.ts';

/** By slot: lease key → row. */
export type SlotRows = readonly ReadonlyMap<string, LedgerRow>[];

export interface Findings {
  /** Shards of which a row is behind the checkpoint: their counts are too low until they are healed. */
  readonly behind: readonly LeaseKey[];
  /** Those of them that are finished: they need a heal lease. */
  readonly finishedBehind: readonly LeaseKey[];
  /** Slots that have no row of a shard that is bound to this ledger. */
  readonly lostSlots: readonly number[];
}

export function auditRows(ledgerName: string, leases: readonly Lease[], slots: SlotRows): Findings {
  const behind: LeaseKey[] = [];
  const finishedBehind: LeaseKey[] = [];
  const lostSlots = new Set<number>();
  for (const lease of leases) {
    if (lease.ledgerId !== ledgerName) continue;
    const checkpoint = checkpointPosition(lease.checkpoint);
    let isBehind: boolean = false;
    for (const [slot, rows] of slots.entries()) {
      const row = rows.get(lease.key);
      if (!row) lostSlots.add(slot);
      else isBehind ||= row.position < checkpoint;
    }
    if (!isBehind) continue;
    behind.push(lease.key);
    if (isFinished(lease)) finishedBehind.push(lease.key);
  }
  return { behind, finishedBehind, lostSlots: [...lostSlots].toSorted((a, b) => a - b) };
}

/**
 * Rows that nobody needs any more: no lease, and the shard is not listed any more (its records are past retention) or
 * is of an earlier stream. A row that is not at its end keeps its place while its stream is there: it holds back what
 * its copies could still need.
 */
export function outlivedRows(
  slots: SlotRows,
  leases: ReadonlySet<LeaseKey>,
  isOfStream: (key: LeaseKey) => boolean,
  isListed: (key: LeaseKey) => boolean,
): LeaseKey[] {
  const outlived = new Set<LeaseKey>();
  const kept = new Set<LeaseKey>();
  for (const rows of slots) {
    for (const [key, { position }] of rows) {
      const isOver = !leases.has(key) && (!isOfStream(key) || (position === END && !isListed(key)));
      (isOver ? outlived : kept).add(key);
    }
  }
  return [...outlived].filter((key) => !kept.has(key));
}
