/** Workers that are added and ended while the controller runs: what moves, how soon it is even, and that it then rests. */
import { afterEach, describe, expect, it } from 'vitest';
import { positionOf } from '../../../lease/position.ts';
import { listedShard, type RunningController, settledWorld, type World } from './controller-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A controller that looks seldom: hours of its life are thousands of events, not hundreds of thousands. */
const SELDOM = {
  ...{ TICK_MS: '60000', PRESENCE_POLL_MS: '60000', LIST_SHARDS_MS: '300000', LEASE_SCAN_MS: '300000' },
  ...{ LEDGER_READ_MS: '600000', LEADER_RETRY_MS: '60000', LEADER_RENEW_DEADLINE_MS: '150000' },
  LEADER_LEASE_MS: '200000',
};
/** Hours of a fleet take seconds on a machine that is busy with something else. */
const LONG = { timeout: 60_000 };
const LEASE_WRITES = ['create', 'assign', 'take', 'handoff', 'retarget', 'force', 'remove', 'reset', 'addChildren'];

let world: World;
afterEach(() => world.end());

function named(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `w${i}`);
}

/** Shards whose owner is another one than before. */
function moved(before: Readonly<Record<string, string>>): string[] {
  const now = world.owners();
  return Object.keys(before).filter((shard) => before[shard] !== now[shard]);
}

function leaseWrites({ leases }: RunningController): number {
  return leases.faults.calls.filter((call) => LEASE_WRITES.includes(call)).length;
}

describe('a fleet that is scaled from 3 workers to 10 and back', () => {
  it(
    'moves no more shards than it must, is even within a minute, and rests for the ten minutes after',
    LONG,
    async () => {
      const settled = await settledWorld(60, named(3), { TICK_MS: '5000', PRESENCE_POLL_MS: '10000' });
      ({ world } = settled);
      await world.clock.advance(10_000);
      const before = world.owners();
      const beganMs = world.clock.monotonicMs();
      for (const id of named(10).slice(3)) settled.fleet.set(id, world.startWorker(id));
      const isEven = (count: number, each: number) => (): boolean => {
        const counts = Object.values(world.counts());
        return counts.length === count && counts.every((leases) => leases === each);
      };
      await world.clock.advanceUntil(isEven(10, 6), MINUTE_MS);
      const grown = world.owners();
      expect(moved(before)).toHaveLength(42);
      const writes = leaseWrites(settled.running);
      await world.clock.advance(beganMs + 11 * MINUTE_MS - world.clock.monotonicMs());
      expect(leaseWrites(settled.running)).toBe(writes);

      for (const id of named(10).slice(3)) settled.fleet.get(id)?.drain();
      await world.clock.advanceUntil(isEven(3, 20), MINUTE_MS);
      const shrunk = world.owners();
      expect(moved(grown)).toHaveLength(42);
      for (const id of named(10).slice(3)) settled.fleet.get(id)?.kill();
      await world.clock.advance(10 * MINUTE_MS);
      expect(world.owners()).toEqual(shrunk);
    },
  );
});

describe('ten workers that are replaced one after the other', () => {
  it(
    'leave at no moment more than a tenth of the shards without a reader, and every shard with one in the end',
    LONG,
    async () => {
      const settled = await settledWorld(100, named(10));
      ({ world } = settled);
      let most = 0;
      const watch = async (ms: number): Promise<void> => {
        for (const untilMs = world.clock.monotonicMs() + ms; world.clock.monotonicMs() < untilMs; ) {
          await world.clock.advance(10);
          const unread = [...world.leaseRows.values()].filter((lease) => lease.checkpointOwner || !lease.owner);
          most = Math.max(most, unread.length);
        }
      };
      for (const id of named(10)) {
        settled.fleet.set(`new-${id}`, world.startWorker(`new-${id}`));
        await watch(1_000);
        settled.fleet.get(id)?.drain();
        await watch(1_000);
        settled.fleet.get(id)?.kill();
        await watch(500);
      }

      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(10);
      expect(world.counts()).toEqual(Object.fromEntries(named(10).map((id) => [`new-${id}`, 10])));
    },
  );
});

describe('more workers than shards', () => {
  it('leave every shard with one of them, and cost no write of a lease while they idle', LONG, async () => {
    const settled = await settledWorld(2, named(6), SELDOM);
    ({ world } = settled);
    await world.clock.advance(5 * MINUTE_MS);
    const before = world.owners();
    const writes = leaseWrites(settled.running);
    await world.clock.advance(10 * MINUTE_MS);

    expect(Object.values(world.counts())).toEqual([1, 1]);
    expect(world.owners()).toEqual(before);
    expect(leaseWrites(settled.running)).toBe(writes);
    expect(world.fleetRows.workers.size).toBe(6);
  });
});

describe('shards that bring nothing for two hours', () => {
  it('stay where they are, and their rows as they are', LONG, async () => {
    ({ world } = await settledWorld(4, named(2), SELDOM));
    await world.clock.advance(5 * MINUTE_MS);
    const before = structuredClone([...world.leaseRows]);

    await world.clock.advance(2 * HOUR_MS);

    expect([...world.leaseRows]).toEqual(before);
  });
});

describe('a fleet scaled to 0, and to 1 a day later', () => {
  it(
    'goes on from its checkpoints, in the parent of a split that came meanwhile before its children',
    LONG,
    async () => {
      const settled = await settledWorld(2, ['w1'], SELDOM);
      ({ world } = settled);
      const checkpoint = { kind: 'AFTER', position: positionOf('5') } as const;
      for (const shard of ['shard-0', 'shard-1']) world.change(shard, { checkpoint });
      settled.fleet.get('w1')?.kill();
      await world.clock.advance(DAY_MS / 2);
      world.stream.shards = [listedShard('shard-0', [], true), listedShard('shard-1')];
      world.stream.shards.push(listedShard('a', ['shard-0']), listedShard('b', ['shard-0']));
      await world.clock.advance(DAY_MS / 2);

      world.startWorker('w2');
      await world.clock.advance(12 * MINUTE_MS);
      expect(world.owners()).toEqual({ a: '-', b: '-', 'shard-0': 'w2', 'shard-1': 'w2' });
      for (const shard of ['shard-0', 'shard-1']) expect(world.lease(shard).checkpoint).toEqual(checkpoint);
      world.finish('shard-0');
      await world.clock.advance(12 * MINUTE_MS);
      expect(world.owners()).toEqual({ a: 'w2', b: 'w2', 'shard-0': 'END', 'shard-1': 'w2' });
      expect(world.lease('a').checkpoint).toEqual({ kind: 'TRIM_HORIZON' });
    },
  );
});
