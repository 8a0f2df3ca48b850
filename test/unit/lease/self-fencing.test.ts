/** When a worker must stop by itself, on a clock that the test turns. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WorkerSessionFixture } from '../../support/worker-session-fixture.ts';

let fix: WorkerSessionFixture;
beforeEach(() => {
  fix = new WorkerSessionFixture();
});
afterEach(async () => {
  expect(await fix.end()).toBe(0);
});

describe('self-fencing', () => {
  it('comes the lease duration after the start of the last answered heartbeat, once', async () => {
    await fix.clock.advance(3_100);
    fix.store.faults.onCall = () => 'before';
    expect(fix.session.isTrusted()).toBe(true);

    await fix.clock.advance(20_000);

    // Beats start at 50, 1050, 2050, 3050.
    expect(fix.told).toEqual(['registered w1', 'fenced w1 at 13050']);
    expect(fix.session.isTrusted()).toBe(false);
  });

  it('counts from the start of a slow heartbeat, not from its answer', async () => {
    await fix.clock.advance(1_040);
    fix.store.faults.onCall = async (method) => {
      if (method === 'heartbeat') await fix.clock.sleep(4_000);
      return undefined;
    };
    await fix.clock.advance(4_500);
    fix.store.faults.onCall = () => 'before';

    await fix.clock.advance(20_000);

    // Beats start at 1050 and 5050; the second is answered at 9050.
    expect(fix.told.at(-1)).toBe('fenced w1 at 15050');
  });

  it('comes in time although a heartbeat hangs', async () => {
    await fix.clock.advance(1_500);
    fix.store.faults.fail('heartbeat', 'hang');

    await fix.clock.advance(20_000);

    expect(fix.told.at(-1)).toBe('fenced w1 at 11050');
  });

  it('is told once, and no orders are brought, when an answer comes after its own trust has run out', async () => {
    await fix.clock.advance(1_500);
    await fix.order('w1', 1, 'a');
    fix.store.faults.onCall = async (method) => {
      if (method === 'heartbeat') await fix.clock.sleep(11_000);
      return undefined;
    };

    await fix.clock.advance(20_000);

    expect(fix.told).toEqual(['registered w1', 'fenced w1 at 11050']);
    fix.stop.abort();
    await fix.clock.advance(20_000);
  });

  it('does not count a heartbeat whose answer was lost', async () => {
    await fix.clock.advance(1_500);
    fix.store.faults.onCall = () => 'after';

    await fix.clock.advance(20_000);

    expect(fix.told.at(-1)).toBe('fenced w1 at 11050');
  });

  it('does not count an answer whose beats are no larger than the last', async () => {
    await fix.clock.advance(1_500);
    const heartbeat = fix.store.heartbeat.bind(fix.store);
    fix.store.heartbeat = async (...args) => {
      await heartbeat(...args);
      return { beats: 2, ordersVersion: 0 };
    };

    await fix.clock.advance(20_000);

    expect(fix.told.at(-1)).toBe('fenced w1 at 11050');
  });

  it('does not come when the table is away for half the lease duration', async () => {
    await fix.clock.advance(1_500);
    fix.store.faults.onCall = () => 'before';
    await fix.clock.advance(5_000);
    fix.store.faults.onCall = () => undefined;

    await fix.clock.advance(60_000);

    expect(fix.told).toEqual(['registered w1']);
  });

  it('ends with the next answered heartbeat, which brings the orders again', async () => {
    await fix.clock.advance(500);
    await fix.order('w1', 1, 'a');
    await fix.clock.advance(2_000);
    fix.store.faults.onCall = () => 'before';
    await fix.clock.advance(15_000);
    fix.store.faults.onCall = () => undefined;

    await fix.clock.advance(1_500);

    expect(fix.told).toEqual(['registered w1', 'orders 1: a', 'fenced w1 at 12050', 'orders 1: a']);
    expect(fix.session.isTrusted()).toBe(true);
  });

  it('is told again when the table goes away again', async () => {
    await fix.clock.advance(500);
    for (let i = 0; i < 2; i++) {
      fix.store.faults.onCall = () => 'before';
      await fix.clock.advance(15_000);
      fix.store.faults.onCall = () => undefined;
      await fix.clock.advance(5_000);
    }

    expect(fix.told.filter((line) => line.startsWith('fenced'))).toHaveLength(2);
  });
});

describe('a worker whose row is gone', () => {
  it('says so, stops trusting its leases, and registers under a new id', async () => {
    await fix.clock.advance(1_500);
    fix.rows.workers.delete('w1');

    await fix.clock.advanceUntil(() => fix.told.includes('gone w1'));
    expect(fix.session.isTrusted()).toBe(false);
    await fix.clock.advance(500);

    expect(fix.told).toEqual(['registered w1', 'gone w1', 'registered w2']);
    expect(fix.session.isTrusted()).toBe(true);
    await fix.clock.advance(30_000);
    expect(fix.told.filter((line) => line.startsWith('fenced'))).toEqual([]);
  });
});
