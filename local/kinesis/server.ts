/**
 * Our local Kinesis: one HTTP/1.1 port (or TLS, when given a key) that speaks the Kinesis API, held in memory. It
 * starts in a few milliseconds in any process and leaves nothing behind. Neighbours: main.ts runs it as a process of
 * its own, request-handler.ts answers, account.ts remembers.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { Account, type AccountSettings } from './account.ts';
import { Faults } from './faults.ts';
import { handleRequest } from './request-handler.ts';
import { Stats } from './stats.ts';

export interface LocalKinesisOptions extends Partial<AccountSettings> {
  /** 0, the default, takes a free one. */
  port?: number;
  host?: string;
  /** PEM; with it the server speaks TLS. */
  tls?: { key: string; cert: string };
  /** Of the random generator that decides the rates of faults. */
  seed?: number;
  clock?: Clock;
}

export interface LocalKinesis {
  /** `http://host:port`, for the SDK's `endpoint`. */
  url: string;
  port: number;
  faults: Faults;
  stats: Stats;
  /** Switches the limits on or off for the calls that follow. */
  enforceLimits(enforce: boolean): void;
  /** Cuts all connections and frees the port. */
  close(): Promise<void>;
}

export const DEFAULT_SETTINGS: Readonly<AccountSettings> = {
  region: 'us-east-1',
  accountId: '000000000000',
  transitionMs: 50,
  maxBytes: 512 * 1024 * 1024,
  shardLimit: 20_000,
  enforceLimits: true,
};

/** Rejects when the port is taken. */
export async function startLocalKinesis(options: LocalKinesisOptions = {}): Promise<LocalKinesis> {
  const { port = 0, host = '127.0.0.1', tls, seed = 1, clock = systemClock, ...settings } = options;
  const faults = new Faults(seed);
  const stats = new Stats();
  const account = new Account(clock, { ...DEFAULT_SETTINGS, ...settings }, faults, stats);
  const stop = new AbortController();
  const listener: RequestListener = (request, response) => {
    // A request that cannot be answered (its client left, mostly) concerns nobody else.
    handleRequest(account, request, response, stop.signal).catch(() => response.destroy());
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.keepAliveTimeout = 60_000;
  await listen(server, port, host);
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${host}:${boundPort}`,
    port: boundPort,
    faults,
    stats,
    enforceLimits: (enforce) => {
      account.enforceLimits = enforce;
    },
    close: () => close(server, stop),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server, stop: AbortController): Promise<void> {
  stop.abort();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
