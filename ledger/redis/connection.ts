/**
 * The connection to the ledger's Redis, whatever its shape: a server, the primary that Sentinels name, or a Cluster. A
 * commit is settled only by an answer on the same connection, so every answer carries the number of its own. Numbers
 * are compared within one slot only: on a Cluster each slot of the ledger has its own connection, to the node that
 * serves it. Commits and the dead-letter sink share the connection of their slot.
 */
import type { Redis } from 'ioredis';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { createRedisClient, redisTargetOf } from '../../runtime/redis/client.ts';
import { watchFailovers } from '../../runtime/redis/failover-watch.ts';
import type { RedisAddress } from '../../runtime/redis/target.ts';
import { createClusterConnection } from './cluster-connection.ts';
import { type Ask, NodeConnection } from './node-connection.ts';

export interface LedgerConnectionOptions extends RedisAddress {
  /** How long a call may take. Default 5 s. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
  /** Does an answer count only when every replica has what was written before it? For SETTLE_MS=0. Default: no. */
  readonly confirms?: boolean;
  /** Told at each change: 'ready' (a new connection number) and 'lost' with the reason. */
  readonly onChange?: (state: 'ready' | 'lost', reason: string) => void;
}

export interface LedgerConnection {
  /** For looking at a single Redis beside the ledger's own calls. A Cluster has none: it throws. */
  readonly client: Redis;
  /** The URL without user and password, for log lines. */
  readonly endpoint: string;
  /** Grows with each connection made; 0 before the first. */
  connectionNumber(): number;
  isReady(): boolean;
  /** Resolves when connected. @throws LedgerUnavailable after the deadline. StartRefused when Redis must not be used. */
  ready(): Promise<void>;
  /**
   * Asks the primary that has this key, within the deadline, and says on which connection it answered.
   * @param key any of the slot's keys, or its tag: all keys asked for must carry the same.
   * @throws LedgerUnavailable: not connected, no answer in time, or a passing refusal. Fatal for any other refusal.
   */
  call<T>(key: string, ask: Ask<T>): Promise<{ readonly answer: T; readonly connection: number }>;
  /** @throws LedgerUnavailable unless the server of this connection number is a primary still: only then what was read there counts. */
  confirmPrimary(key: string, connection: number): Promise<void>;
  /** Asks every primary there is now. @throws as `call`, when one of them cannot be asked. */
  callPrimaries<T>(ask: Ask<T>): Promise<T[]>;
  /** Unanswered calls fail; there is no reconnection. */
  close(): void;
}

const DEADLINE_MS = 5_000;

/** @throws StartRefused without the URL in its text: it may hold a password. */
export function createLedgerConnection(options: LedgerConnectionOptions): LedgerConnection {
  const { clock = systemClock, deadlineMs = DEADLINE_MS, confirms = false, onChange = () => undefined } = options;
  const target = redisTargetOf(options);
  if (target.kind === 'cluster') return createClusterConnection(options, { clock, deadlineMs, confirms, onChange });
  const node = new NodeConnection({
    connect: (behaviour) => createRedisClient(options, '', behaviour),
    watch: (onSwitch) => watchFailovers(options, onSwitch),
    isNamed: true,
    ...{ clock, deadlineMs, confirms, onChange },
  });
  return {
    client: node.client,
    endpoint: target.text,
    connectionNumber: () => node.number,
    isReady: () => node.isReady,
    ready: () => node.ready(),
    call: (key, ask) => node.call(ask, key),
    confirmPrimary: (_key, connection) => node.confirmPrimary(connection),
    callPrimaries: async (ask) => [(await node.call(ask)).answer],
    close: () => node.close(),
  };
}
