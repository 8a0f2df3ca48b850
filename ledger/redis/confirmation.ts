/**
 * That replicas have what was written, asked of the primary after each write (SETTLE_MS=0): then a failover loses nothing
 * that was answered. As many replicas as there were when the connection was made; one that goes holds writes up, as
 * min-replicas-to-write would.
 */
import type { Redis } from 'ioredis';
import { LedgerUnavailable } from '../ledger.ts';
import { jobKeyBeside } from './keys.ts';

export interface Confirmation {
  readonly replicas: number;
  /** Redis 7.2 tells when it is on their disks; older ones when it is in their memory. */
  readonly isOnDisk: boolean;
}

/** @param info of a primary. @returns undefined when it has no replicas: its own answer is enough. */
export function confirmationOf(info: ReadonlyMap<string, string>): Confirmation | undefined {
  const replicas = Number(info.get('connected_slaves') ?? 0);
  const [major = 0, minor = 0] = (info.get('redis_version') ?? '').split('.').map(Number);
  return replicas === 0 ? undefined : { replicas, isOnDisk: major > 7 || (major === 7 && minor >= 2) };
}

/**
 * Of all that was written to the server before this, by whomever.
 * @param key any of the slot's.
 * @throws LedgerUnavailable when too few have it in time: whether it will be lost, nobody knows.
 */
export async function requireConfirmed(
  client: Redis,
  key: string,
  { replicas, isOnDisk }: Confirmation,
  deadlineMs: number,
): Promise<void> {
  // Before the deadline of the call, which would take the connection with it.
  const timeoutMs = String(Math.ceil(deadlineMs / 2));
  // Redis waits for this client's own writes only, and what was read may be another's: so it writes something first.
  const wrote = client.hset(jobKeyBeside(key), 'confirmed', '1');
  const answered = isOnDisk
    ? client.call('WAITAOF', '1', String(replicas), timeoutMs)
    : client.call('WAIT', String(replicas), timeoutMs);
  const [, answer] = await Promise.all([wrote, answered]);
  const reached = Number(Array.isArray(answer) ? answer[1] : answer);
  if (reached < replicas) throw new LedgerUnavailable(`only ${reached} of ${replicas} replicas have it`, undefined);
}
