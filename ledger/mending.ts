/**
 * What only an operator may decide: how a ledger goes on that Redis lost a slot of, or whose lost tail is not retained any
 * more. `rewind` reads and counts again what is retained; `continue` goes on from the checkpoints, and what is lost stays
 * lost. Only rows that are absent or behind are touched, by the same scripts as everything else: an owner that opens in
 * the same moment is never overrun.
 */
import { parseCheckpointText } from '../lease/checkpoint-text.ts';
import type { Lease, LeaseKey } from '../lease/lease.ts';
import { checkpointPosition, type Position, START } from '../lease/position.ts';
import { type Ledger, type LedgerReader, type LedgerRow, type LedgerSpec, REWOUND, type RowMark } from './ledger.ts';

export type Mending = 'rewind' | 'continue';

/** A row that does not cover its checkpoint. */
export interface Defect {
  readonly leaseKey: LeaseKey;
  readonly slot: number;
  /** missing: there is no row. behind: it heals by itself, unless what it needs is not retained any more. */
  readonly kind: 'missing' | 'behind';
  readonly row: Position | undefined;
  readonly checkpoint: Position;
}

type Bound = Pick<Lease, 'key' | 'checkpoint' | 'ledgerId' | 'ledgerStart'>;

/** @param leases read before the rows are. */
export async function findDefects(ledger: LedgerReader, spec: LedgerSpec, leases: readonly Bound[]): Promise<Defect[]> {
  const bound = leases.filter(({ ledgerId }) => ledgerId === spec.name);
  const defects: Defect[] = [];
  for (let slot = 0; slot < spec.slots; slot++) {
    const rows = await ledger.rows(slot);
    for (const lease of bound) {
      const row = rows.get(lease.key)?.position;
      const checkpoint = checkpointPosition(lease.checkpoint);
      if (row !== undefined && row >= checkpoint) continue;
      defects.push({ leaseKey: lease.key, slot, kind: row === undefined ? 'missing' : 'behind', row, checkpoint });
    }
  }
  return defects;
}

/** Mends one row. False when it is not as it was found: look again. */
export async function mend(
  ledger: Ledger & LedgerReader,
  lease: Bound,
  { slot, kind, checkpoint }: Defect,
  mending: Mending,
  token: string,
): Promise<boolean> {
  const shard = lease.key;
  if (kind === 'missing') {
    const start = mending === 'continue' ? checkpoint : beginningOf(lease);
    // Refused when the owner has opened it since: then there is a row all the same.
    await ledger.open({ shard, slot, generation: 0, start });
  }
  const row = (await ledger.rows(slot)).get(shard);
  if (!row) return false;
  const to: RowMark =
    mending === 'continue' ? { position: checkpoint, token } : { position: row.position, token: REWOUND };
  if (row.token === to.token || row.position > to.position) return true;
  return move(ledger, shard, slot, row, to);
}

async function move(ledger: Ledger, shard: LeaseKey, slot: number, row: LedgerRow, to: RowMark): Promise<boolean> {
  const { generation, floor, arrivalMs, watermarkMs, position, token } = row;
  const from = { position, token };
  const { answers } = await ledger.advance(slot, [{ shard, generation, from, to, floor, arrivalMs, watermarkMs }]);
  return answers[0]?.kind === 'ok' || answers[0]?.kind === 'applied';
}

function beginningOf({ ledgerStart }: Bound): Position {
  const start = ledgerStart === undefined ? undefined : parseCheckpointText(ledgerStart);
  return start === undefined ? START : checkpointPosition(start);
}
