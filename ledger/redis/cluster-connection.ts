/**
 * The ledger's connections to a Redis Cluster: one for each slot of the ledger, to the primary that serves it. A slot
 * that moved, or whose primary was deposed, is answered for by nobody until its connection has found the new one; the
 * caller sends the same bytes again. So a connection number stands for one node, as it does without a Cluster.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { askSlots, createRedisClient, createServerClient, redisTargetOf } from '../../runtime/redis/client.ts';
import { keySlot } from '../../runtime/redis/key-slot.ts';
import { nodesOf, parseSlotMap } from '../../runtime/redis/slot-map.ts';
import type { RedisAddress, RedisHost } from '../../runtime/redis/target.ts';
import { LedgerUnavailable } from '../ledger.ts';
import { type Ask, NodeConnection } from './node-connection.ts';

export interface ClusterOptions {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly confirms: boolean;
  readonly onChange: (state: 'ready' | 'lost', reason: string) => void;
}

/** Nodes are found by asking other nodes, and tell of a failover themselves. */
const FOUND = { isNamed: false, watch: () => () => undefined };

/** @throws StartRefused without the URL in its text. */
export function createClusterConnection(address: RedisAddress, options: ClusterOptions) {
  const target = redisTargetOf(address);
  const homes = new Map<number, NodeConnection>();
  let isFound: boolean = false;

  function homeOf(key: string): NodeConnection {
    const slot = keySlot(key);
    const known = homes.get(slot);
    if (known) return known;
    const connect: ConstructorParameters<typeof NodeConnection>[0]['connect'] = (behaviour) =>
      createRedisClient(address, key, behaviour);
    const home = new NodeConnection({ ...options, connect, ...FOUND });
    homes.set(slot, home);
    return home;
  }

  return {
    get client(): Redis {
      throw new Error('a Redis Cluster has no one client');
    },
    endpoint: target.text,
    connectionNumber: (): number => Math.max(0, ...[...homes.values()].map(({ number }) => number)),
    isReady: (): boolean => isFound && [...homes.values()].every(({ isReady }) => isReady),
    async ready(): Promise<void> {
      await findPrimaries(address, target.hosts);
      isFound = true;
      await Promise.all([...homes.values()].map((home) => home.ready()));
    },
    async call<T>(key: string, ask: Ask<T>): Promise<{ readonly answer: T; readonly connection: number }> {
      const home = homeOf(key);
      // The first call to a slot makes its connection; later ones find it, or fail at once.
      if (home.number === 0) await home.ready();
      return home.call(ask, key);
    },
    confirmPrimary: (key: string, connection: number): Promise<void> => homeOf(key).confirmPrimary(connection),
    async callPrimaries<T>(ask: Ask<T>): Promise<T[]> {
      const primaries = await findPrimaries(address, target.hosts);
      return Promise.all(primaries.map((primary) => callOne(address, primary, options, ask)));
    },
    close(): void {
      for (const home of homes.values()) home.close();
    },
  };
}

async function callOne<T>(address: RedisAddress, primary: RedisHost, options: ClusterOptions, ask: Ask<T>): Promise<T> {
  const node = new NodeConnection({
    ...{ ...options, ...FOUND, onChange: () => undefined },
    connect: (behaviour) => createServerClient(address, primary, behaviour),
  });
  try {
    await node.ready();
    return (await node.call(ask)).answer;
  } finally {
    node.close();
  }
}

/** Of the first node that answers. @throws LedgerUnavailable when none does. */
async function findPrimaries(address: RedisAddress, seeds: readonly RedisHost[]): Promise<readonly RedisHost[]> {
  let fault = 'no node of the cluster serves any slot';
  for (const seed of seeds) {
    try {
      const { primaries } = nodesOf(parseSlotMap(await askSlots(address, seed), seed));
      if (primaries.length > 0) return primaries;
    } catch (error) {
      fault = errorMessage(error);
    }
  }
  throw new LedgerUnavailable(fault, undefined);
}
