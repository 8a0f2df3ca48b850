/** Whatever goes wrong inside a shard consumer, or goes on for long: it neither spins, nor leaks, nor skips. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { START } from '../../../../lease/position.ts';
import { FleetError } from '../../../../runtime/errors.ts';
import { RowWentStale } from '../../../../worker/ledger/surprise.ts';
import { at, KEY, ShardWorld } from './shard-world.ts';

describe('a shard consumer in trouble', () => {
  it('takes an act that ends where it began for a failure: it would begin again at once, for ever', async () => {
    const world = new ShardWorld();
    let openings = 0;
    const openSource = (): never => {
      openings += 1;
      if (openings > 100) throw new FleetError('in circles', { code: 'InCircles', disposition: 'fatal' });
      throw new RowWentStale({ reason: 'while opening' });
    };

    const process = world.start({ openSource });
    expect(await world.clock.runUntil(process.ended)).toBe('Aborted');

    expect(openings).toBe(1);
    expect([...process.counts.leasesLost]).toEqual([['failed', 1]]);
  });

  it('opens again at once after a surprise, but more and more seldom when that brings nothing new', async () => {
    const world = new ShardWorld();
    world.shard.put(1, 2, 3);
    const refusing = async () => ({ kind: 'stale' as const, row: undefined, connection: 1 });

    const process = world.start({ ledger: { ...world.ledger, commit: refusing } });
    await world.clock.advance(20);
    expect(process.counts.reopenings).toBe(2);
    await world.clock.advance(60_000);

    expect(process.counts.reopenings).toBeGreaterThan(10);
    expect(process.counts.reopenings).toBeLessThan(40);
    await process.kill();
  });

  it('asks to leave while it waits to open again, and leaves', async () => {
    const world = new ShardWorld();
    world.shard.put(1);
    const refusing = async () => ({ kind: 'stale' as const, row: undefined, connection: 1 });
    const process = world.start({ ledger: { ...world.ledger, commit: refusing } });
    await world.clock.advance(60_000);
    const askedMs = world.clock.monotonicMs();

    process.consumer.leave('shutdown');

    expect(await world.clock.runUntil(process.ended)).toBe('Released');
    expect(world.clock.monotonicMs() - askedMs).toBeLessThan(100);
  });

  it('heals a slot that is behind the floor of another, though the lease row was deleted and begins anew', async () => {
    const world = new ShardWorld();
    world.shard.put(1, 2, 3, 4, 5, 6);
    const row = { generation: 0, token: 'f'.repeat(16), arrivalMs: 0, watermarkMs: 0 };
    world.state.slots[0]!.rows.set(KEY, { ...row, position: at(6), floor: at(5) });
    world.state.slots[1]!.rows.set(KEY, { ...row, position: at(2), floor: at(2) });

    const process = world.start();
    await world.clock.advance(5_000);

    expect(process.counts.healed).toBe(3);
    expect(world.rowPositions()).toEqual([at(6), at(6)]);
    expect((await world.ledger.totals()).get('f')).toBe(2);
    await process.kill();
  });
});

describe('a shard consumer that lives long', () => {
  it('leaves no listener behind on its signals, however many batches it takes', async () => {
    const world = new ShardWorld();
    world.shard.put(...Array.from({ length: 1_000 }, (_, i) => (i % 7 === 0 ? ('x' as const) : i)));
    const signals = new Set<AbortSignal>();
    const { ledger, shard } = world;
    const process = world.start({
      openSource: () => {
        const source = shard.open(START);
        return {
          next: (signal) => {
            signals.add(signal);
            return source.next(signal);
          },
          release: (batch) => source.release(batch),
          status: () => source.status(),
          close: () => source.close(),
        };
      },
      deadLettersFor: () => ({
        store: async (_, { through }, signal) => {
          signals.add(signal);
          return { through, stored: undefined };
        },
      }),
    });

    await world.clock.advanceUntil(() => process.counts.records === 1_000);

    expect((await ledger.totals()).get('x')).toBe(143);
    expect(signals.size).toBe(2);
    for (const signal of signals) expect(getEventListeners(signal, 'abort').length).toBeLessThan(10);
    await process.kill();
  });
});
