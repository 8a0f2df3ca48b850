/**
 * That replicas have what was written, asked of the primary after each write (SETTLE_MS=0): then a failover loses nothing
 * that was answered. As many replicas as there were when the connection was made; one that goes holds writes up, as
 * min-replicas-to-write would. It is WAIT, also where there is WAITAOF: a replica tells what it has in memory as soon as
 * it is asked, but once a second what it has on disk, and the connection stands still meanwhile. One that syncs always
 * has it on disk before it answers.
 */
import type { Redis } from 'ioredis';
import { LedgerUnavailable } from '../ledger.ts';
import { jobKeyBeside } from './keys.ts';

/** @param info of a primary. @returns how many must confirm: 0 = its own answer is enough. */
export function replicasToConfirm(info: ReadonlyMap<string, string>): number {
  return Number(info.get('connected_slaves') ?? 0);
}

/**
 * Of all that was written to the server before this, by whomever.
 * @param key any of the slot's.
 * @throws LedgerUnavailable when too few have it in time: whether it will be lost, nobody knows.
 */
export async function requireConfirmed(
  client: Redis,
  key: string,
  replicas: number,
  deadlineMs: number,
): Promise<void> {
  // Before the deadline of the call, which would take the connection with it.
  const timeoutMs = String(Math.ceil(deadlineMs / 2));
  // Redis waits for this client's own writes only, and what was read may be another's: so it writes something first.
  const wrote = client.hset(jobKeyBeside(key), 'confirmed', '1');
  const [, answer] = await Promise.all([wrote, client.call('WAIT', String(replicas), timeoutMs)]);
  const reached = Number(answer);
  if (reached < replicas) throw new LedgerUnavailable(`only ${reached} of ${replicas} replicas have it`, undefined);
}
