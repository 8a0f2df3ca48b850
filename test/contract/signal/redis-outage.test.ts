/**
 * What only a real server can show: an outage, a restart, forged texts, a password. Nothing of it may fail a caller.
 */
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';
import { type Logger, silentLogger } from '../../../runtime/logger.ts';
import { createControllerSignals, createWorkerSignals } from '../../../signal/redis/redis-signals.ts';
import type { Hint } from '../../../signal/signals.ts';
import { hasRedisServer, type RedisServer, startRedisServer } from '../../support/redis-server.ts';

const WAIT = { timeout: 20_000, interval: 20 };

async function withRedis(args: readonly string[], use: (server: RedisServer) => Promise<void>): Promise<void> {
  const server = await startRedisServer({ kind: 'redis-server', args });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

function recordingLogger(lines: string[]): Logger {
  const record = (message: string, fields?: unknown): number =>
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  return { debug: record, info: record, warn: record, error: record, child: () => recordingLogger(lines) };
}

describe.runIf(hasRedisServer())('hints over a Redis with troubles', () => {
  it('are silence while Redis is away, one log line a connection, and come back with a larger connection number', async () => {
    await withRedis([], async (server) => {
      const lines: string[] = [];
      const options = { url: server.url, fleet: 'f', logger: recordingLogger(lines), clock: systemClock };
      const worker = createWorkerSignals(options);
      const controller = createControllerSignals(options);
      const ended = new AbortController();
      const heard: Hint[] = [];
      worker.listen('w1', (hint) => heard.push(hint), ended.signal);
      await vi.waitFor(async () => expect((await controller.presence(['w1']))?.present.size).toBe(1), WAIT);
      const before = await controller.presence(['w1']);
      await vi.waitFor(() => expect(heard).toHaveLength(1), WAIT);
      heard.length = 0;
      await server.restart();
      expect(await controller.presence(['w1'])).toBeUndefined();
      controller.toWorker('w1', { kind: 'lease-released', leaseKey: 'lost in the outage' });
      await vi.waitFor(async () => expect((await controller.presence(['w1']))?.present.size).toBe(1), WAIT);
      const after = await controller.presence(['w1']);
      expect(after?.connection).toBeGreaterThan(before?.connection ?? 0);
      // A gap in hearing tells the worker to look.
      expect(heard).toContainEqual({ kind: 'orders-changed' });
      expect(heard).not.toContainEqual({ kind: 'lease-released', leaseKey: 'lost in the outage' });
      // One for each connection that was open: listening, and speaking on either side.
      expect(lines.filter((line) => line.startsWith('hints are off'))).toHaveLength(3);
      ended.abort();
      await Promise.all([worker.close(), controller.close()]);
    });
  }, 20_000);

  it('do not pass when they are forged, malformed or too many', async () => {
    await withRedis([], async (server) => {
      const options = { url: server.url, fleet: 'f', logger: silentLogger, clock: systemClock };
      const worker = createWorkerSignals(options);
      const ended = new AbortController();
      const heard: Hint[] = [];
      worker.listen('w1', (hint) => heard.push(hint), ended.signal);
      const forger = new Redis(server.url);
      await vi.waitFor(async () => expect(await forger.publish('presence/f/w1', 'not JSON')).toBe(1), WAIT);
      await vi.waitFor(() => expect(heard).toHaveLength(1), WAIT);
      heard.length = 0;
      const texts = [
        'null',
        '[]',
        '{"kind":"delete-all"}',
        '{"kind":"shard-ended"}',
        '{"kind":"shard-ended","leaseKey":7}',
      ];
      for (const text of [...texts, `{"kind":"shard-ended","leaseKey":"${'x'.repeat(5_000)}"}`]) {
        await forger.publish('presence/f/w1', text);
      }
      expect(heard).toEqual([]);
      const flood = Array.from({ length: 5_000 }, () => forger.publish('presence/f/w1', '{"kind":"orders-changed"}'));
      await Promise.all(flood);
      await vi.waitFor(() => expect(heard.length).toBeGreaterThan(100), WAIT);
      expect(heard.length).toBeLessThan(4_000);
      ended.abort();
      forger.disconnect();
      await worker.close();
    });
  }, 20_000);

  it('work with a password, which no log line shows', async () => {
    await withRedis(['--requirepass', 'very-secret'], async (server) => {
      const lines: string[] = [];
      const url = server.url.replace('redis://', 'redis://default:very-secret@');
      const controller = createControllerSignals({
        url,
        fleet: 'f',
        logger: recordingLogger(lines),
        clock: systemClock,
      });
      await vi.waitFor(async () => expect(await controller.presence(['w1'])).toBeDefined(), WAIT);
      await server.restart();
      await vi.waitFor(async () => expect((await controller.presence(['w1']))?.connection).toBeGreaterThan(1), WAIT);
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.join('\n')).not.toContain('very-secret');
      await controller.close();
    });
  }, 20_000);

  it('are silence, told once, when the password is wrong', async () => {
    await withRedis(['--requirepass', 'right'], async (server) => {
      const lines: string[] = [];
      const url = server.url.replace('redis://', 'redis://default:wrong@');
      const controller = createControllerSignals({
        url,
        fleet: 'f',
        logger: recordingLogger(lines),
        clock: systemClock,
      });
      await vi.waitFor(() => expect(lines.join()).toMatch(/hints are off/), WAIT);
      await systemClock.sleep(1_000);
      expect(await controller.presence(['w1'])).toBeUndefined();
      expect(lines).toHaveLength(1);
      await controller.close();
    });
  }, 20_000);
});
