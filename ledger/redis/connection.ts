/**
 * The connection to the ledger's Redis. Every answer carries the number of the connection it came on, and nothing is
 * queued or resent behind the caller's back: a commit is settled only by an answer on the same connection. A call that
 * outlives its deadline takes the socket with it, so that its answer cannot come late; reconnecting goes on by itself,
 * and a call in the meantime fails at once. Commits and the dead-letter sink share one connection.
 */
import { Redis } from 'ioredis';
import { backoffMs } from '../../runtime/backoff.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { errorName, StartRefused } from '../../runtime/errors.ts';
import { withoutPassword } from '../../runtime/logger.ts';
import { LedgerUnavailable } from '../ledger.ts';
import { translateRedisError } from './redis-error.ts';

export interface LedgerConnectionOptions {
  /** redis:// or rediss://, with user, password and database if needed. */
  readonly url: string;
  /** How long a call may take. Default 5 s. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
  /** Told at each change: 'ready' (a new connection number) and 'lost' with the reason. */
  readonly onChange?: (state: 'ready' | 'lost', reason: string) => void;
}

export interface LedgerConnection {
  /** For pub/sub-free commands inside `call`. */
  readonly client: Redis;
  /** The URL without user and password, for log lines. */
  readonly endpoint: string;
  /** Grows with each connection made; 0 before the first. */
  connectionNumber(): number;
  isReady(): boolean;
  /** Resolves when connected. @throws LedgerUnavailable after the deadline. */
  ready(): Promise<void>;
  /**
   * Asks Redis within the deadline, and says on which connection it answered.
   * @throws LedgerUnavailable: not connected, no answer in time, or a passing refusal. Fatal for any other refusal.
   */
  call<T>(ask: (client: Redis) => Promise<T>): Promise<{ readonly answer: T; readonly connection: number }>;
  /** Unanswered calls fail; there is no reconnection. */
  close(): void;
}

const DEADLINE_MS = 5_000;
const RECONNECT = { baseMs: 50, maxMs: 1_000 };
const READY_POLL_MS = 20;
const EXPIRED = Symbol('expired');
/** An abort without a reason makes an error with a stack, for every call. */
const ANSWERED = 'answered';

export function createLedgerConnection(options: LedgerConnectionOptions): LedgerConnection {
  const { clock = systemClock, deadlineMs = DEADLINE_MS } = options;
  const client = createClient(options.url, deadlineMs);
  let connections = 0;
  let isReady = false;
  let fault = 'connecting';

  client.on('ready', () => {
    connections += 1;
    isReady = true;
    options.onChange?.('ready', '');
  });
  client.on('error', (error) => {
    const translated = translateRedisError(error);
    fault = String(translated.fields.reason ?? errorName(translated));
  });
  client.on('close', () => lose());

  function lose(reason = fault): void {
    if (!isReady) return;
    isReady = false;
    fault = reason;
    options.onChange?.('lost', reason);
  }

  async function withinDeadline<T>(answer: Promise<T>): Promise<T> {
    const answered = new AbortController();
    const expiry = clock.sleep(deadlineMs, answered.signal).then((): typeof EXPIRED => EXPIRED);
    try {
      const first = await Promise.race([answer, expiry]);
      if (first !== EXPIRED) return first;
    } finally {
      answered.abort(ANSWERED);
    }
    lose('deadline');
    client.stream.destroy();
    throw new LedgerUnavailable('deadline', undefined);
  }

  return {
    client,
    endpoint: withoutPassword(options.url),
    connectionNumber: () => connections,
    isReady: () => isReady,
    async ready() {
      const until = clock.monotonicMs() + deadlineMs;
      while (!isReady) {
        if (clock.monotonicMs() >= until) throw new LedgerUnavailable(fault, undefined);
        await clock.sleep(READY_POLL_MS);
      }
    },
    async call(ask) {
      if (!isReady) throw new LedgerUnavailable(fault, undefined);
      const connection = connections;
      try {
        return { answer: await withinDeadline(ask(client)), connection };
      } catch (error) {
        throw translateRedisError(error);
      }
    },
    close: () => client.disconnect(),
  };
}

/** @throws StartRefused without the URL in its text: it may hold a password. */
function createClient(url: string, deadlineMs: number): Redis {
  if (!/^rediss?:\/\/[^/]/.test(url) || !URL.canParse(url)) {
    throw new StartRefused('the URL of Redis must look like redis://host:6379 or rediss://user:password@host:6379');
  }
  return new Redis(url, {
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // With 0, commands without an answer fail as soon as the connection closes, not at the next one.
    maxRetriesPerRequest: 0,
    connectTimeout: deadlineMs,
    disableClientInfo: true,
    protocol: 2,
    retryStrategy: (attempt) => backoffMs(RECONNECT, attempt),
  });
}
