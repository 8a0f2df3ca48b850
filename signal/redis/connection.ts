/**
 * A connection to Redis for hints: it reconnects by itself with back-off and for ever, queues nothing while it is
 * away, and says so once per outage. Hints are lossy, so nothing is ever resent. A server that accepts connections
 * but answers nothing (stopped, overloaded) counts as away: only an answered PING makes the connection usable.
 */
import { Redis } from 'ioredis';
import { backoffMs } from '../../runtime/backoff.ts';
import { errorFields, type Logger, withoutPassword } from '../../runtime/logger.ts';

export interface ConnectionOptions {
  /** redis:// or rediss://, may hold user and password; never logged with them. */
  readonly url: string;
  readonly logger: Logger;
  /** What the connection is for, in log lines. */
  readonly purpose: string;
  readonly onReady: () => void;
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

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ purpose: options.purpose, redis: withoutPassword(options.url) });
    this.redis = new Redis(options.url, {
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
      retryStrategy: (attempt) => backoffMs(BACKOFF, attempt),
    });
    this.redis.on('error', (error: unknown) => {
      this.#lastError = error;
    });
    this.redis.on('close', () => this.#onClose());
    this.redis.on('ready', () => this.#prove());
    // The rejection of a first attempt is news that 'close' tells too.
    this.redis.connect().catch((error: unknown) => {
      this.#lastError = error;
    });
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

  #prove(): void {
    this.redis.ping().then(
      () => {
        if (this.#closed) return;
        this.#usable = true;
        if (this.#toldAway) this.#logger.info('hints are on again');
        this.#toldAway = false;
        this.#lastError = undefined;
        this.#options.onReady();
      },
      (error: unknown) => this.renew(error),
    );
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
