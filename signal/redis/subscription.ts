/**
 * One channel, listened to until the signal aborts: subscribes anew after every reconnect, and asks PING so that an
 * idle connection is neither cut by a load balancer nor dead without anybody noticing.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { RedisAddress } from '../../runtime/redis/target.ts';
import type { Hint } from '../signals.ts';
import type { Channels } from './channel.ts';
import { Connection } from './connection.ts';
import { HintGate } from './hint-gate.ts';
import { parseHint } from './hint-text.ts';

export interface SubscriptionOptions {
  readonly address: RedisAddress;
  readonly channels: Channels;
  /** One of them. */
  readonly channel: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onHint: (hint: Hint) => void;
  /** Told when hints may have been missed: before it listened at all, and when the connection was lost or is back. */
  readonly onGap: () => void;
  readonly signal: AbortSignal;
}

const PING_MS = 10_000;

export function subscribe(options: SubscriptionOptions): void {
  if (options.signal.aborted) return;
  const gate = new HintGate(options.clock);
  const { isSharded } = options.channels;
  const connection = new Connection({
    address: options.address,
    home: options.channels.home,
    logger: options.logger,
    purpose: 'hints heard',
    onReady: async () => {
      const { redis } = connection;
      await (isSharded ? redis.ssubscribe(options.channel) : redis.subscribe(options.channel));
      // The first time too: whoever knew this listener before it could hear may have spoken to it.
      options.onGap();
    },
    onAway: options.onGap,
  });
  connection.redis.on(isSharded ? 'smessage' : 'message', (_channel: string, text: string) => {
    const hint = gate.pass() ? parseHint(text) : undefined;
    if (hint) options.onHint(hint);
  });
  options.signal.addEventListener('abort', () => connection.close(), { once: true });
  void keepAlive(connection, options);
}

async function keepAlive(connection: Connection, { clock, signal }: SubscriptionOptions): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(PING_MS, signal);
    if (signal.aborted || !connection.isUsable()) continue;
    await connection.redis.ping().catch((error: unknown) => connection.renew(error));
  }
}
