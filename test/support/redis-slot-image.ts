/**
 * Keeps all that a slot holds, in the reference and in Redis alike, and puts it back: what a failover does that loses
 * the tail of a slot's history.
 */
import type { LedgerConnection } from '../../ledger/redis/connection.ts';
import type { ReferenceSlot, ReferenceState } from '../../ledger/reference.ts';

export interface KeptSlot {
  readonly ledgerName: string;
  readonly slot: number;
  readonly reference: ReferenceSlot;
  /** Key → its serialized value. */
  readonly redis: ReadonlyMap<string, Buffer>;
}

const keysOf = (ledgerName: string, slot: number, { client }: LedgerConnection): Promise<string[]> =>
  client.keys(`{${ledgerName}.${slot}}:*`);

export async function keepSlot(
  ledgerName: string,
  slot: number,
  state: ReferenceState,
  connection: LedgerConnection,
): Promise<KeptSlot> {
  const keys = await keysOf(ledgerName, slot, connection);
  const values = await Promise.all(keys.map((key) => connection.client.dumpBuffer(key)));
  return {
    ledgerName,
    slot,
    reference: structuredClone(state.slots[slot]!),
    redis: new Map(keys.map((key, i) => [key, values[i]!])),
  };
}

export async function loseTail(kept: KeptSlot, state: ReferenceState, connection: LedgerConnection): Promise<void> {
  state.slots[kept.slot] = structuredClone(kept.reference);
  const keys = await keysOf(kept.ledgerName, kept.slot, connection);
  if (keys.length > 0) await connection.client.del(keys);
  await Promise.all([...kept.redis].map(([key, value]) => connection.client.restore(key, 0, value)));
}
