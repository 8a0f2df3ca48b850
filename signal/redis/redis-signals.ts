/**
 * WorkerSignals and ControllerSignals over Redis pub/sub. Two connections a process: one listens, one speaks.
 * Redis away means silence: nothing fails, nothing waits, nothing piles up. A gap in hearing is a reason to look,
 * so a worker is told "look now" whenever it may have missed a hint; that is also how a worker whose presence is
 * lost, though it lives, proves itself by a heartbeat.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { redisTargetOf } from '../../runtime/redis/client.ts';
import type { RedisAddress } from '../../runtime/redis/target.ts';
import type { ControllerSignals, WorkerSignals } from '../signals.ts';
import { type Channels, channelsOf } from './channel.ts';
import { CommandChannel } from './command-channel.ts';
import { hintText } from './hint-text.ts';
import { subscribe } from './subscription.ts';

export interface RedisSignalsOptions extends RedisAddress {
  readonly fleet: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

export function createWorkerSignals(options: RedisSignalsOptions): WorkerSignals {
  const { clock, logger } = options;
  const channels = channelsFor(options);
  const commands = new CommandChannel(options, channels, logger);
  const closing = new AbortController();
  return {
    listen(workerId, onHint, signal) {
      subscribe({
        ...{ address: options, channels, clock, logger, onHint },
        channel: channels.worker(workerId),
        onGap: () => onHint({ kind: 'orders-changed' }),
        signal: AbortSignal.any([signal, closing.signal]),
      });
    },
    toWorker: (workerId, hint) => commands.publish(channels.worker(workerId), hintText(hint)),
    toController: (hint) => commands.publish(channels.controller, hintText(hint)),
    close: () => closeAll(commands, closing),
  };
}

export function createControllerSignals(options: RedisSignalsOptions): ControllerSignals {
  const { clock, logger } = options;
  const channels = channelsFor(options);
  const commands = new CommandChannel(options, channels, logger);
  const closing = new AbortController();
  return {
    listen(onHint, signal) {
      subscribe({
        ...{ address: options, channels, clock, logger, onHint },
        channel: channels.controller,
        onGap: () => undefined,
        signal: AbortSignal.any([signal, closing.signal]),
      });
    },
    toWorker: (workerId, hint) => commands.publish(channels.worker(workerId), hintText(hint)),
    async presence(workerIds) {
      const ids = new Map(workerIds.map((id) => [channels.worker(id), id]));
      const counted = await commands.countSubscribers([...ids.keys()]);
      if (!counted) return undefined;
      const present = new Set<string>();
      for (const channel of counted.present) {
        const id = ids.get(channel);
        if (id !== undefined) present.add(id);
      }
      return { connection: counted.connection, present };
    },
    close: () => closeAll(commands, closing),
  };
}

function channelsFor(options: RedisSignalsOptions): Channels {
  return channelsOf(options.fleet, redisTargetOf(options).kind === 'cluster');
}

function closeAll(commands: CommandChannel, closing: AbortController): Promise<void> {
  closing.abort();
  commands.close();
  return Promise.resolve();
}
