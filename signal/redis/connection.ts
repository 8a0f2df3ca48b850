/**
 * A connection to Redis for hints: it reconnects by itself with back-off and for ever, queues nothing while it is
 * away, and says so once per outage. Hints are lossy, so nothing is ever resent. A server that accepts connections
 * but answers nothing (stopped, overloaded) counts as away: only an answered PING makes the connection usable.
 */
import type { Redis } from 'ioredis';
import { backoffMs } from '../../runtime/backoff.ts';
import { systemClock } from '../../runtime/clock.ts';
import { errorFields, type Logger } from '../../runtime/logger.ts';
import { createRedisClient, redisTargetOf } from '../../runtime/redis/client.ts';
import type { RedisAddress } from '../../runtime/redis/target.ts';

export interface ConnectionOptions {
  /** May hold user and password; never logged with them. */
  readonly address: RedisAddress;
  /** On a Cluster: the node that has this key. */
  readonly home: string;
  readonly logger: Logger;
  /** What the connection is for, in log lines. */
  readonly purpose: string;
  /** When it settles well the connection is one to keep, and the next reconnect is tried at once. */
  readonly onReady: () => Promise<void> | void;
  /** Told when the connection is lost, and again after each attempt to get it back that failed. */
  readonly onAway?: () => void;
}

const COMMAND_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
const BACKOFF = { baseMs: 50, maxMs: 2_000 };

export class Connection {
  readonly redis: Redis;
  readonly #options: ConnectionOptions;
  readonly #logger: Logger;
  #usable: boolean = false;
  #closed: boolean = false;
  #toldAway: boolean = false;
  #lastError: unknown;
  /** Since the last connection that was one to keep. */
  #attempts = 0;
  readonly #isCluster: boolean;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const target = redisTargetOf(options.address);
    this.#isCluster = target.kind === 'cluster';
    this.#logger = options.logger.child({ purpose: options.purpose, redis: target.text });
    this.redis = createRedisClient(options.address, options.home, {
      protocol: 2,
      lazyConnect: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disableClientInfo: true,
      retryStrategy: () => {
        this.#attempts += 1;
        return backoffMs(BACKOFF, this.#attempts);
      },
    });
    this.redis.on('error', (error: unknown) => {
      this.#lastError = error;
    });
    this.redis.on('close', () => this.#onClose());
    this.redis.on('end', () => this.#beginAgain());
    this.redis.on('ready', () => void this.#prove());
    // Of a Cluster: another node has the channels now.
    this.redis.on('moved', () => this.renew(new Error('the channels moved to another node')));
    this.#connect();
  }

  isUsable(): boolean {
    return this.#usable;
  }

  /** The server does not answer as it should: leave this connection and try for another. */
  renew(reason: unknown): void {
    if (this.#closed) return;
    this.#lastError = reason;
    this.#usable = false;
    this.redis.disconnect(true);
  }

  close(): void {
    this.#closed = true;
    this.#usable = false;
    this.redis.disconnect();
  }

  #connect(): void {
    // The rejection of an attempt is news that 'close' tells too.
    this.redis.connect().catch((error: unknown) => {
      this.#lastError = error;
    });
  }

  /** A search for the primary that was broken off is not taken up again by ioredis. */
  #beginAgain(): void {
    if (this.#closed) return;
    void systemClock.sleep(BACKOFF.maxMs).then(() => {
      if (!this.#closed) this.#connect();
    });
  }

  async #prove(): Promise<void> {
    try {
      await this.#answers();
      if (this.#closed) return;
      this.#usable = true;
      if (this.#toldAway) this.#logger.info('hints are on again');
      this.#toldAway = false;
      this.#lastError = undefined;
      await this.#options.onReady();
      this.#attempts = 0;
    } catch (error) {
      this.renew(error);
    }
  }

  /** A node that was deposed hears and counts beside the others. */
  async #answers(): Promise<void> {
    if (!this.#isCluster) {
      await this.redis.ping();
      return;
    }
    const [role] = await this.redis.role();
    if (role !== 'master') throw new Error('this node is no primary');
  }

  #onClose(): void {
    this.#usable = false;
    if (this.#closed) return;
    if (!this.#toldAway) {
      const reason = this.#lastError ?? new Error('connection closed');
      this.#logger.warn('hints are off until Redis is back', errorFields(reason));
    }
    this.#toldAway = true;
    this.#options.onAway?.();
  }
}
