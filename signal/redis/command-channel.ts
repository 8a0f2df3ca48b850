/**
 * The connection that speaks: publishes hints, and counts the subscribers of channels. Fire and forget: what cannot
 * be sent at once is dropped. Its number grows with each reconnect, so that nobody compares what was counted on two.
 */
import type { Logger } from '../../runtime/logger.ts';
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
  #number = 0;
  #unanswered = 0;

  constructor(url: string, logger: Logger) {
    this.#connection = new Connection({
      url,
      logger,
      purpose: 'hints sent',
      onReady: () => {
        this.#number++;
      },
    });
  }

  publish(channel: string, text: string): void {
    if (!this.#connection.isUsable() || this.#unanswered >= MAX_UNANSWERED) return;
    this.#unanswered++;
    this.#connection.redis.publish(channel, text).then(
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
      const answer: unknown = await this.#connection.redis.pubsub('NUMSUB', ...channels);
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

  /** An error that Redis answered (no permission, say) leaves the connection as good as it was; silence does not. */
  #mistrust(error: unknown): void {
    const answered = error instanceof Error && error.name === 'ReplyError';
    if (!answered && this.#connection.isUsable()) this.#connection.renew(error);
  }
}
