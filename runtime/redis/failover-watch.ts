/**
 * Hears from every Sentinel when it names another primary: a connection to the old one need not wait for it to hang up,
 * which it never does when it is frozen or cut off. A hint: whoever is connected would find out by himself, later.
 */
import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { backoffMs } from '../backoff.ts';
import { redisTargetOf, sentinelClientOptions } from './client.ts';
import type { RedisAddress, RedisHost } from './target.ts';

const CHANNEL = '+switch-master';
const BACKOFF = { baseMs: 500, maxMs: 30_000 };

/** @returns what ends it. Does nothing, for ever, when the address names no Sentinels. */
export function watchFailovers(address: RedisAddress, onSwitch: (primary: RedisHost) => void): () => void {
  const target = redisTargetOf(address);
  if (target.kind !== 'sentinel') return () => undefined;
  const clients = target.hosts.map((host) => {
    const client = new Redis({
      ...{ ...host, ...sentinelClientOptions(target, address), protocol: 2, disableClientInfo: true },
      ...{ enableReadyCheck: false, enableOfflineQueue: false, autoResubscribe: false, maxRetriesPerRequest: 0 },
      retryStrategy: (attempt) => backoffMs(BACKOFF, attempt),
    });
    // A Sentinel that is away is no news: there are others.
    client.on('error', () => undefined);
    client.on('ready', () => void client.subscribe(CHANNEL).catch(() => undefined));
    client.on('message', (_channel: string, text: string) => {
      const [name, , , newHost, newPort] = text.split(' ');
      if (name === target.master && newHost !== undefined) onSwitch({ host: newHost, port: Number(newPort) });
    });
    return client;
  });
  return () => {
    for (const client of clients) client.disconnect();
  };
}

/** Is the connection's other end this server, as far as one can tell? A name may stand for any address. */
export function leadsTo({ stream }: Redis, { host, port }: RedisHost): boolean {
  return isIP(host) !== 0 && stream?.remotePort === port && (stream.remoteAddress ?? '').endsWith(host);
}
