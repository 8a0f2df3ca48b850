/**
 * WorkerSignals and ControllerSignals over Redis pub/sub. Two connections a process: one listens, one speaks.
 * Redis away means silence: nothing fails, nothing waits, nothing piles up. A gap in hearing is a reason to look,
 * so a worker is told "look now" whenever it may have missed a hint; that is also how a worker whose presence is
 * lost, though it lives, proves itself by a heartbeat.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ControllerSignals, WorkerSignals } from '../signals.ts';
import { controllerChannel, workerChannel } from './channel.ts';
import { CommandChannel } from './command-channel.ts';
import { hintText } from './hint-text.ts';
import { subscribe } from './subscription.ts';

export interface RedisSignalsOptions {
  readonly url: string;
  readonly fleet: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

export function createWorkerSignals(options: RedisSignalsOptions): WorkerSignals {
  const { url, fleet, clock, logger } = options;
  const commands = new CommandChannel(url, logger);
  const closing = new AbortController();
  return {
    listen(workerId, onHint, signal) {
      subscribe({
        url,
        clock,
        logger,
        channel: workerChannel(fleet, workerId),
        onHint,
        onGap: () => onHint({ kind: 'orders-changed' }),
        signal: AbortSignal.any([signal, closing.signal]),
      });
    },
    toWorker: (workerId, hint) => commands.publish(workerChannel(fleet, workerId), hintText(hint)),
    toController: (hint) => commands.publish(controllerChannel(fleet), hintText(hint)),
    close: () => closeAll(commands, closing),
  };
}

export function createControllerSignals(options: RedisSignalsOptions): ControllerSignals {
  const { url, fleet, clock, logger } = options;
  const commands = new CommandChannel(url, logger);
  const closing = new AbortController();
  return {
    listen(onHint, signal) {
      subscribe({
        url,
        clock,
        logger,
        channel: controllerChannel(fleet),
        onHint,
        onGap: () => undefined,
        signal: AbortSignal.any([signal, closing.signal]),
      });
    },
    toWorker: (workerId, hint) => commands.publish(workerChannel(fleet, workerId), hintText(hint)),
    async presence(workerIds) {
      const ids = new Map(workerIds.map((id) => [workerChannel(fleet, id), id]));
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

function closeAll(commands: CommandChannel, closing: AbortController): Promise<void> {
  closing.abort();
  commands.close();
  return Promise.resolve();
}
