/**
 * What both sides may expect of hints, held against the fake, a real Redis and its stand-in. Hints are lossy, so the
 * suite says only what holds when nothing is lost.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { createControllerSignals, createWorkerSignals } from '../../../signal/redis/redis-signals.ts';
import type { ControllerSignals, Hint, WorkerSignals } from '../../../signal/signals.ts';
import { FakeSignalBus } from '../../support/fake-signals.ts';
import { hasRedisServer, type RedisServer, startRedisServer } from '../../support/redis-server.ts';

interface World {
  worker(): WorkerSignals;
  controller(): ControllerSignals;
  end(): Promise<void>;
}

const redisWorld = (kind: RedisServer['kind']) => async (): Promise<World> => {
  const server = await startRedisServer({ kind });
  const options = { url: server.url, fleet: 'fleet', logger: silentLogger, clock: systemClock };
  return {
    worker: () => createWorkerSignals(options),
    controller: () => createControllerSignals(options),
    end: () => server.stop(),
  };
};

const fakeWorld = (): Promise<World> => {
  const bus = new FakeSignalBus();
  return Promise.resolve({
    worker: () => bus.worker(),
    controller: () => bus.controller(),
    end: () => Promise.resolve(),
  });
};

const worlds: [string, () => Promise<World>][] = [
  ['the fake', fakeWorld],
  ['js-redis-server', redisWorld('js-redis-server')],
];
if (hasRedisServer()) worlds.push(['redis-server', redisWorld('redis-server')]);

const WAIT = { timeout: 20_000, interval: 10 };

describe.each(worlds)('hints over %s', (_name, start) => {
  let world: World;
  let worker: WorkerSignals;
  let controller: ControllerSignals;
  const ended = new AbortController();
  const toWorker: Hint[] = [];
  const toController: Hint[] = [];

  beforeAll(async () => {
    world = await start();
    worker = world.worker();
    controller = world.controller();
    worker.listen('w1', (hint) => toWorker.push(hint), ended.signal);
    controller.listen((hint) => toController.push(hint), ended.signal);
    await vi.waitFor(async () => expect((await controller.presence(['w1']))?.present.size).toBe(1), WAIT);
    await vi.waitFor(() => {
      worker.toController({ kind: 'worker-changed', workerId: 'w1' });
      expect(toController.length).toBeGreaterThan(0);
    }, WAIT);
  }, 30_000);

  afterAll(async () => {
    ended.abort();
    await Promise.all([worker.close(), controller.close()]);
    await world.end();
  });

  it('begin, for a worker, with the one to look: what was said before it could hear is lost', async () => {
    await vi.waitFor(() => expect(toWorker[0]).toEqual({ kind: 'orders-changed' }), WAIT);
  });

  it('reach the worker that they are for, from the controller and from another worker', async () => {
    toWorker.length = 0;
    controller.toWorker('w1', { kind: 'orders-changed' });
    worker.toWorker('w1', { kind: 'lease-released', leaseKey: 'a:b:1:shard "ü"' });
    controller.toWorker('w2', { kind: 'lease-released', leaseKey: 'for another' });
    controller.toWorker('w1', { kind: 'lease-moved', leaseKey: 'k' });
    await vi.waitFor(() => expect(toWorker).toHaveLength(3), WAIT);
    expect(toWorker).toContainEqual({ kind: 'orders-changed' });
    expect(toWorker).toContainEqual({ kind: 'lease-moved', leaseKey: 'k' });
    expect(toWorker).toContainEqual({ kind: 'lease-released', leaseKey: 'a:b:1:shard "ü"' });
  });

  it('reach the controller', async () => {
    toController.length = 0;
    worker.toController({ kind: 'shard-ended', leaseKey: 'key' });
    await vi.waitFor(() => expect(toController).toEqual([{ kind: 'shard-ended', leaseKey: 'key' }]), WAIT);
  });

  it('count as present who listens, and nobody else, on one connection', async () => {
    const first = await controller.presence(['w1', 'w2']);
    const second = await controller.presence(['w1', 'w2']);
    expect([...(first?.present ?? [])]).toEqual(['w1']);
    expect(second?.connection).toBe(first?.connection);
  });

  it('count a worker no more once it stopped listening', async () => {
    const leaving = new AbortController();
    const other = world.worker();
    other.listen('w9', () => undefined, leaving.signal);
    await vi.waitFor(async () => expect((await controller.presence(['w9']))?.present.has('w9')).toBe(true), WAIT);
    leaving.abort();
    await vi.waitFor(async () => expect((await controller.presence(['w9']))?.present.has('w9')).toBe(false), WAIT);
    await other.close();
  });
});
