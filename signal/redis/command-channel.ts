/**
 * The connection that speaks: publishes hints, and counts the subscribers of channels. Fire and forget: what cannot
 * be sent at once is dropped. Its number grows with each reconnect, so that nobody compares what was counted on two.
 */
import type { Logger } from '../../runtime/logger.ts';
import type { RedisAddress } from '../../runtime/redis/target.ts';
import type { Channels } from './channel.ts';
import { Connection } from './connection.ts';

export interface SubscriberCount {
  readonly connection: number;
  /** Channels with at least one subscriber. */
  readonly present: ReadonlySet<string>;
}

/** A server that answers nothing must not make us keep everything. */
const MAX_UNANSWERED = 1_000;

export class CommandChannel {
  readonly #connection: Connection;
  readonly #channels: Channels;
  #number = 0;
  #unanswered = 0;

  constructor(address: RedisAddress, channels: Channels, logger: Logger) {
    const { home } = channels;
    this.#channels = channels;
    this.#connection = new Connection({
      ...{ address, home, logger },
      purpose: 'hints sent',
      onReady: () => {
        this.#number++;
      },
    });
  }

  publish(channel: string, text: string): void {
    if (!this.#connection.isUsable() || this.#unanswered >= MAX_UNANSWERED) return;
    this.#unanswered++;
    const { redis } = this.#connection;
    const published = this.#channels.isSharded ? redis.spublish(channel, text) : redis.publish(channel, text);
    published.then(
      () => {
        this.#unanswered--;
      },
      (error: unknown) => {
        this.#unanswered--;
        this.#mistrust(error);
      },
    );
  }

  /** One call for all channels; undefined when Redis did not answer, or answered on another connection. */
  async countSubscribers(channels: readonly string[]): Promise<SubscriberCount | undefined> {
    if (!this.#connection.isUsable()) return undefined;
    const connection = this.#number;
    try {
      const answer = await this.#count(channels);
      if (connection !== this.#number || !Array.isArray(answer)) return undefined;
      const present = new Set<string>();
      for (let at = 0; at + 1 < answer.length; at += 2) {
        if (Number(answer[at + 1]) > 0) present.add(String(answer[at]));
      }
      return { connection, present };
    } catch (error) {
      this.#mistrust(error);
      return undefined;
    }
  }

  close(): void {
    this.#connection.close();
  }

  /** A node of a Cluster that was deposed, or has the channels no more, would count nobody: a word to nobody tells. */
  async #count(channels: readonly string[]): Promise<unknown> {
    const { redis } = this.#connection;
    if (!this.#channels.isSharded) return redis.pubsub('NUMSUB', ...channels);
    const counted = redis.pubsub('SHARDNUMSUB', ...channels);
    const [answer, [role]] = await Promise.all([counted, redis.role(), redis.spublish(this.#channels.worker(''), '')]);
    if (role !== 'master') throw new Error('this node is no primary');
    return answer;
  }

  /** An error that Redis answered (no permission, say) leaves the connection as good as it was; silence does not, nor does another node. */
  #mistrust(error: unknown): void {
    const answered = error instanceof Error && error.name === 'ReplyError' && !error.message.startsWith('MOVED ');
    if (!answered && this.#connection.isUsable()) this.#connection.renew(error);
  }
}
