/** A worker's session with the fleet table, on a clock that the test turns. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeWorkerStore } from '../../support/fake-worker-store.ts';
import { WorkerSessionFixture } from '../../support/worker-session-fixture.ts';

let fix: WorkerSessionFixture;
beforeEach(() => {
  fix = new WorkerSessionFixture();
});
afterEach(async () => {
  expect(await fix.end()).toBe(0);
});

describe('a worker session', () => {
  it('registers, beats once per period with state and load, and ends with its signal', async () => {
    await fix.clock.advance(5_500);

    expect(fix.told).toEqual(['registered w1']);
    expect(fix.rows.workers.get('w1')).toMatchObject({ beats: 6, state: 'active', load: { leases: 2 } });
    expect(fix.session.id()).toBe('w1');
    fix.stop.abort();
    await fix.running;
  });

  it('takes a new id when the first is taken', async () => {
    fix.stop.abort();
    await fix.running;
    await new FakeWorkerStore(fix.rows).register('w2');
    fix.stop = new AbortController();

    fix.running = fix.newSession().run(fix.stop.signal);
    await fix.clock.advance(200);

    expect(fix.told).toEqual(['registered w1', 'registered w3']);
  });

  it('repeats a registration whose answer was lost under the same id', async () => {
    fix.stop.abort();
    await fix.running;
    fix.store.faults.fail('register', 'after');
    fix.stop = new AbortController();

    fix.running = fix.newSession().run(fix.stop.signal);
    await fix.clock.advance(1_000);

    expect([...fix.rows.workers.keys()]).toEqual(['w1', 'w2']);
    expect(fix.told.at(-1)).toBe('registered w2');
  });

  it('brings orders within one heartbeat of their new version', async () => {
    await fix.clock.advance(500);
    await fix.order('w1', 1, 'a', 'b');

    await fix.clock.advance(1_000);

    expect(fix.told).toEqual(['registered w1', 'orders 1: a,b']);
  });

  it('reads orders again when the heartbeat tells the version that the orders row was already ahead with', async () => {
    await fix.clock.advance(100);
    fix.rows.orders.set('w1', { version: 6, orders: [{ leaseKey: 'old', verb: 'hold' }] });
    const row = fix.rows.workers.get('w1');
    if (row) fix.rows.workers.set('w1', { ...row, ordersVersion: 5 });
    await fix.clock.advance(1_000);

    await fix.order('w1', 6, 'new');
    await fix.clock.advance(1_000);

    expect(fix.told.slice(1)).toEqual(['orders 6: old', 'orders 6: new']);
  });

  it('tries again to read orders when that failed', async () => {
    await fix.clock.advance(500);
    await fix.order('w1', 1, 'a');
    fix.store.faults.fail('readOrders', 'before', 2);

    await fix.clock.advance(2_000);

    expect(fix.told.slice(1)).toEqual(['orders 1: a']);
  });

  it('reads orders every thirty seconds even when nothing says that they changed', async () => {
    await fix.clock.advance(500);
    await fix.order('w1', 1, 'a');

    await fix.clock.advance(62_000);

    expect(fix.told.filter((line) => line === 'orders 1: a')).toHaveLength(3);
  });

  it('beats at once when nudged, but never more often than each 50 ms', async () => {
    await fix.clock.advance(500);
    const before = fix.heartbeats();

    fix.session.nudge();
    await fix.clock.flush();
    expect(fix.heartbeats()).toBe(before + 1);
    for (let i = 0; i < 100; i++) {
      fix.session.nudge();
      await fix.clock.advance(10);
    }

    expect(fix.heartbeats() - before).toBeGreaterThan(15);
    expect(fix.heartbeats() - before).toBeLessThanOrEqual(22);
  });

  it('beats once more when nudged while a heartbeat was under way', async () => {
    let answer: () => void = () => undefined;
    await fix.clock.advance(990);
    fix.store.faults.onCall = async (method) => {
      if (method === 'heartbeat') await new Promise<void>((resolve) => (answer = resolve));
      return undefined;
    };
    await fix.clock.advance(100);
    fix.session.nudge();
    const before = fix.heartbeats();

    answer();
    await fix.clock.advance(60);

    expect(fix.heartbeats()).toBe(before + 1);
    fix.store.faults.onCall = () => undefined;
    answer();
    await fix.clock.flush();
  });

  it('has one heartbeat in flight at a time, however slow the table is', async () => {
    await fix.clock.advance(100);
    let inFlight = 0;
    let most = 0;
    fix.store.faults.onCall = async () => {
      most = Math.max(most, ++inFlight);
      await fix.clock.sleep(1_700);
      inFlight--;
      return undefined;
    };

    const until = fix.clock.advance(20_000);
    for (let i = 0; i < 50; i++) fix.session.nudge();
    await until;

    expect(most).toBe(1);
    fix.stop.abort();
    await fix.clock.advance(2_000);
  });

  it('says draining at once and from then on', async () => {
    await fix.clock.advance(500);

    fix.session.drain();
    await fix.clock.flush();

    expect(fix.rows.workers.get('w1')?.state).toBe('draining');
    await fix.clock.advance(3_000);
    expect(fix.rows.workers.get('w1')?.state).toBe('draining');
  });

  it('fails when its listener does, and leaves nothing running', async () => {
    await fix.clock.advance(500);
    fix.told.push = () => {
      throw new Error('a bug');
    };
    await fix.order('w1', 1, 'a');

    await fix.clock.advance(1_000);

    await expect(fix.running).rejects.toThrow('a bug');
    expect(fix.clock.sleeping()).toBe(0);
  });
});
