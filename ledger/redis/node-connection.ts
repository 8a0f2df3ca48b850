/**
 * One connection to one Redis at a time, always a primary. Every answer carries the number of the connection it came on,
 * and nothing is queued or resent behind the caller's back. A call that outlives its deadline takes the socket with it,
 * so that its answer cannot come late; reconnecting goes on by itself, and a call in the meantime fails at once. A server
 * that turns out to be no primary (any more) is left, so that the next connection finds the new one.
 */
import type { Redis } from 'ioredis';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorName, type StartRefused } from '../../runtime/errors.ts';
import type { ClientOptions } from '../../runtime/redis/client.ts';
import { leadsTo } from '../../runtime/redis/failover-watch.ts';
import type { RedisHost } from '../../runtime/redis/target.ts';
import { LedgerUnavailable } from '../ledger.ts';
import { replicasToConfirm, requireConfirmed } from './confirmation.ts';
import { isElsewhere, redisErrorCode, translateRedisError } from './redis-error.ts';
import { parseInfo, refusalOf } from './server-facts.ts';

/** What is asked of Redis, in one or several commands. */
export type Ask<T> = (client: Redis) => Promise<T>;

export interface NodeConnectionOptions {
  /** Makes the client with this behaviour. */
  readonly connect: (behaviour: ClientOptions) => Redis;
  /** Tells of another primary, until what it returned is called. */
  readonly watch: (onSwitch: (primary: RedisHost) => void) => () => void;
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Does the client go to a server that was named, not found? Then a Cluster or a Sentinel there is a mistake. */
  readonly isNamed: boolean;
  /** Does an answer count only when every replica has what was written before it? */
  readonly confirms: boolean;
  readonly onChange: (state: 'ready' | 'lost', reason: string) => void;
}

const RECONNECT = { baseMs: 50, maxMs: 1_000 };
const READY_POLL_MS = 20;
const EXPIRED = Symbol('expired');
/** An abort without a reason makes an error with a stack, for every call. */
const ANSWERED = 'answered';

export class NodeConnection {
  readonly client: Redis;
  readonly #options: NodeConnectionOptions;
  #number = 0;
  #isReady: boolean = false;
  #isClosed: boolean = false;
  readonly #unwatch: () => void;
  #fault = 'connecting';
  #refusal: StartRefused | undefined;
  /** Since the last connection that could be used. */
  #attempts = 0;
  /** That confirm each write; 0 = there are none, or nobody is to be asked. */
  #replicas = 0;

  constructor(options: NodeConnectionOptions) {
    this.#options = options;
    this.client = options.connect({
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      // With 0, commands without an answer fail as soon as the connection closes, not at the next one.
      maxRetriesPerRequest: 0,
      connectTimeout: options.deadlineMs,
      disableClientInfo: true,
      protocol: 2,
      retryStrategy: () => {
        this.#attempts += 1;
        return backoffMs(RECONNECT, this.#attempts);
      },
    });
    this.client.on('ready', () => void this.#examine());
    const onError = (error: unknown): void => {
      const translated = translateRedisError(error);
      this.#fault = String(translated.fields.reason ?? errorName(translated));
    };
    this.client.on('error', onError).on('sentinelError', onError);
    this.client.on('close', () => this.#lose(this.#fault));
    this.client.on('end', () => void this.#beginAgain());
    this.#unwatch = options.watch((primary) => {
      if (this.#isReady && !leadsTo(this.client, primary)) this.#leave('failover');
    });
  }

  /** Grows with each connection that could be used; 0 before the first. */
  get number(): number {
    return this.#number;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** @throws LedgerUnavailable after the deadline. StartRefused when there is a Redis that must not be used. */
  async ready(): Promise<void> {
    const { clock, deadlineMs } = this.#options;
    const until = clock.monotonicMs() + deadlineMs;
    while (!this.#isReady) {
      if (this.#refusal) throw this.#refusal;
      if (clock.monotonicMs() >= until) throw new LedgerUnavailable(this.#fault, undefined);
      await clock.sleep(READY_POLL_MS);
    }
  }

  /**
   * @param key of the slot whose writes an answer rests on; undefined = on none.
   * @throws LedgerUnavailable: not connected, no answer in time, or a passing refusal. Fatal for any other refusal.
   */
  async call<T>(ask: Ask<T>, key?: string): Promise<{ readonly answer: T; readonly connection: number }> {
    if (!this.#isReady) throw new LedgerUnavailable(this.#fault, undefined);
    const connection = this.#number;
    try {
      return { answer: await this.#withinDeadline(this.#confirmed(ask, key)), connection };
    } catch (error) {
      const translated = translateRedisError(error);
      if (isElsewhere(translated) && connection === this.#number) this.#leave(String(translated.fields.reason));
      throw translated;
    }
  }

  async #confirmed<T>(ask: Ask<T>, key: string | undefined): Promise<T> {
    const answer = await ask(this.client);
    if (key !== undefined && this.#replicas > 0) {
      await requireConfirmed(this.client, key, this.#replicas, this.#options.deadlineMs);
    }
    return answer;
  }

  /**
   * A deposed primary goes on answering what only reads, on connections that nobody cut, while it waits for the state of
   * its successor. What it said rests on nothing. @throws LedgerUnavailable when that connection is not to a primary any more.
   */
  async confirmPrimary(connection: number): Promise<void> {
    const { answer: info, connection: now } = await this.call((client) =>
      client.info('replication').catch(unlessForbidden),
    );
    if (now !== connection) throw new LedgerUnavailable('connection lost', undefined);
    if (parseInfo(info).get('role') !== 'slave') return;
    this.#leave('READONLY');
    throw new LedgerUnavailable('READONLY', undefined);
  }

  /** Unanswered calls fail; there is no reconnection. */
  close(): void {
    this.#isClosed = true;
    this.#unwatch();
    this.client.disconnect();
  }

  /** A connection counts only when there is a primary at its other end, and one that keeps what it is given. */
  async #examine(): Promise<void> {
    try {
      const info = parseInfo(await this.#withinDeadline(this.client.info().catch(unlessForbidden)));
      this.#refusal = refusalOf(info, this.#options.isNamed);
      if (this.#refusal) throw new LedgerUnavailable(this.#refusal.message, undefined);
      if (info.get('role') === 'slave') throw new LedgerUnavailable('READONLY', undefined);
      this.#replicas = this.#options.confirms ? replicasToConfirm(info) : 0;
    } catch (error) {
      this.#leave(String(translateRedisError(error).fields.reason));
      return;
    }
    if (this.client.status !== 'ready') return;
    this.#attempts = 0;
    this.#number += 1;
    this.#isReady = true;
    this.#options.onChange('ready', '');
  }

  /** Whoever leaves in the middle of ioredis's search for a primary ends it for good. */
  async #beginAgain(): Promise<void> {
    if (this.#isClosed) return;
    this.#attempts += 1;
    await this.#options.clock.sleep(backoffMs(RECONNECT, this.#attempts));
    if (this.#isClosed) return;
    // What fails is told by an event, and tried again.
    await this.client.connect().catch(() => undefined);
  }

  #lose(reason: string): void {
    this.#fault = reason;
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#options.onChange('lost', reason);
  }

  #leave(reason: string): void {
    this.#lose(reason);
    this.client.stream.destroy();
  }

  async #withinDeadline<T>(answer: Promise<T>): Promise<T> {
    const { clock, deadlineMs } = this.#options;
    const answered = new AbortController();
    const expiry = clock.sleep(deadlineMs, answered.signal).then((): typeof EXPIRED => EXPIRED);
    try {
      const first = await Promise.race([answer, expiry]);
      if (first !== EXPIRED) return first;
    } finally {
      answered.abort(ANSWERED);
    }
    this.#leave('deadline');
    throw new LedgerUnavailable('deadline', undefined);
  }
}

/** To a user who may not ask INFO nobody tells anything. */
function unlessForbidden(error: unknown): string {
  if (redisErrorCode(error) !== 'NOPERM') throw error;
  return '';
}
