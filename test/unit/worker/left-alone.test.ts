/** A worker that nobody tells anything: with shards it goes on, without any it does nothing but show that it lives. */
import { describe, expect, it } from 'vitest';
import { rawBatchOf } from '../../support/fake-source.ts';
import { HEARTBEAT_MS, WorkerWorld } from './worker-world.ts';

const ME = 'worker-1';
const MINUTE_MS = 60_000;

describe('a worker without a controller', () => {
  it('goes on counting and checkpointing its shards for ten minutes', async () => {
    const world = new WorkerWorld();
    await world.start();
    for (const shard of [0, 1]) world.putLease(shard, { owner: ME });
    await world.order([0, 1].map((shard) => ({ leaseKey: world.key(shard), verb: 'hold' })));
    const checkpoints = new Set<string>();
    for (let minute = 1; minute <= 10; minute++) {
      for (const source of world.sources.opened) {
        source.push(rawBatchOf([{ sequenceNumber: String(minute), payload: String(minute) }]));
      }
      await world.clock.advance(MINUTE_MS);
      for (const shard of [0, 1]) checkpoints.add(`${shard} ${JSON.stringify(world.lease(shard).checkpoint)}`);
    }

    expect(world.states()).toEqual({ 0: 'Reading', 1: 'Reading' });
    expect(world.counts.records).toBe(20);
    expect(checkpoints.size).toBe(20);
    expect([...world.counts.leasesLost]).toEqual([]);
    expect(world.lease(0).generation).toBe(1);
    await world.stop();
  });
});

describe('a worker without shards', () => {
  it('reads nothing and writes nothing but its heartbeat', async () => {
    const world = new WorkerWorld();
    await world.start();
    const calls = world.workers.faults.calls;
    calls.length = 0;
    await world.clock.advance(10 * MINUTE_MS);

    const beats = calls.filter((call) => call === 'heartbeat').length;
    const readings = calls.filter((call) => call === 'readOrders').length;
    expect(Math.abs(beats - (10 * MINUTE_MS) / HEARTBEAT_MS)).toBeLessThanOrEqual(60);
    expect(readings).toBeLessThanOrEqual(21);
    expect(calls).toHaveLength(beats + readings);
    expect(world.leases.faults.calls).toEqual([]);
    expect(world.sources.opened).toEqual([]);
    expect(world.worker.stalled).toEqual([]);
    await world.stop();
  });
});
