/**
 * Makes the client of a Redis target: ioredis with what the URL says, whatever stands behind it. All connecting of the
 * fleet goes through here, so that ledger and hints reach the same Redis in the same way. How a connection behaves
 * (queues, deadlines, reconnecting) is its user's to say.
 */
import { Redis, type RedisOptions } from 'ioredis';
import { StartRefused } from '../errors.ts';
import { HomeConnector } from './home-connector.ts';
import { keySlot } from './key-slot.ts';
import { parseRedisUrl, type RedisAddress, type RedisCredentials, type RedisHost, type RedisTarget } from './target.ts';

/** Answers look as they do without RESP3: the option would change their types. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** Before a Sentinel or a node that does not answer is given up for the next one. */
const ASK_TIMEOUT_MS = 1_000;
/** A primary that was deposed and hangs does not close its side. */
const DISCONNECT_TIMEOUT_MS = 200;
const SENTINEL_BACKOFF = { stepMs: 50, maxMs: 1_000 };

/** @throws StartRefused without the URL in its text: it may hold a password. */
export function redisTargetOf({ url }: RedisAddress): RedisTarget {
  try {
    return parseRedisUrl(url);
  } catch (error) {
    throw new StartRefused(`the URL of Redis ${(error as Error).message}`);
  }
}

/** @param key on a Cluster the client leads to the primary of this key, and to no other; else it has no effect. */
export function createRedisClient(address: RedisAddress, key: string, behaviour: ClientOptions): Redis {
  const target = redisTargetOf(address);
  return new Redis({ ...connectionOptions(target, address, key), ...behaviour });
}

/** The client of one certain server of the target, with the target's user and certificates. */
export function createServerClient(address: RedisAddress, server: RedisHost, behaviour: ClientOptions): Redis {
  const target = redisTargetOf(address);
  return new Redis({ ...server, ...secrets(target), ...tlsOf(target, address), ...behaviour });
}

function connectionOptions(target: RedisTarget, address: RedisAddress, key: string): ClientOptions {
  const own = {
    ...{ ...secrets(target), ...tlsOf(target, address) },
    ...{ db: target.database, disconnectTimeout: DISCONNECT_TIMEOUT_MS },
  };
  switch (target.kind) {
    case 'server':
      return { ...target.hosts[0]!, ...own };
    case 'sentinel':
      return { ...own, ...sentinelOptions(target, address) };
    case 'cluster':
      return { ...own, Connector: homeConnectorOf(target, address, keySlot(key)) };
  }
}

function sentinelOptions(target: RedisTarget, address: RedisAddress): ClientOptions {
  const { user, password } = target.sentinel;
  const { tls } = tlsOf(target, address);
  return {
    sentinels: target.hosts.map((host) => ({ ...host })),
    name: target.master,
    role: 'master',
    ...(user === undefined ? {} : { sentinelUsername: user }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: ASK_TIMEOUT_MS,
    sentinelRetryStrategy: (attempt) => Math.min(SENTINEL_BACKOFF.stepMs * attempt, SENTINEL_BACKOFF.maxMs),
  };
}

/** Of a client of the Sentinels themselves. */
export function sentinelClientOptions(target: RedisTarget, address: RedisAddress): ClientOptions {
  return { ...secrets(target.sentinel), ...tlsOf(target, address), connectTimeout: ASK_TIMEOUT_MS };
}

function homeConnectorOf(target: RedisTarget, address: RedisAddress, slot: number): ClientOptions['Connector'] {
  const { tls } = tlsOf(target, address);
  const home = { slot, seeds: target.hosts, tls, disconnectTimeoutMs: DISCONNECT_TIMEOUT_MS };
  const ask = (host: RedisHost): Promise<unknown> => askSlots(address, host);
  return class extends HomeConnector {
    constructor() {
      super({ ...home, ask });
    }
  };
}

/** CLUSTER SLOTS, as this node sees it. Rejects when it does not answer in time. */
export async function askSlots(address: RedisAddress, host: RedisHost): Promise<unknown> {
  const client = createServerClient(address, host, {
    ...{ protocol: 2, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true, maxRetriesPerRequest: 0 },
    ...{ retryStrategy: () => null, connectTimeout: ASK_TIMEOUT_MS, commandTimeout: ASK_TIMEOUT_MS },
  });
  // Every error shows in the answer too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call('CLUSTER', 'SLOTS');
  } finally {
    client.disconnect();
  }
}

function secrets({ user, password }: RedisCredentials): ClientOptions {
  return { ...(user === undefined ? {} : { username: user }), ...(password === undefined ? {} : { password }) };
}

function tlsOf({ isTls }: RedisTarget, { tls }: RedisAddress): Pick<ClientOptions, 'tls'> {
  if (!isTls) return {};
  const { ca, cert, key } = tls ?? {};
  return { tls: { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) } };
}
