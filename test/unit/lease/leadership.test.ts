/** Leadership by the leader row, with several controllers on one turned clock. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RowLeadership } from '../../../lease/leadership.ts';
import { FleetError } from '../../../runtime/errors.ts';
import { type Logger, silentLogger } from '../../../runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeFleetRows, FakeWorkerStore } from '../../support/fake-worker-store.ts';

let clock: FakeClock;
let rows: FakeFleetRows;
let candidates: Candidate[];

class Candidate {
  readonly store = new FakeWorkerStore(rows);
  readonly stop = new AbortController();
  readonly log: string[] = [];
  /** Warnings. */
  readonly said: string[] = [];
  readonly leadership: RowLeadership;
  readonly running: Promise<void>;
  /** What the leader does when its term ends. */
  onTermEnd: () => Promise<void> = async () => undefined;
  end: (error?: Error) => void = () => undefined;

  constructor(holder: string) {
    this.leadership = new RowLeadership({
      store: this.store,
      clock,
      logger: this.#logger(),
      holder,
      random: () => 0.5,
    });
    this.running = this.leadership.run(this.stop.signal, async (term) => {
      this.log.push(`lead ${clock.monotonicMs()}`);
      await new Promise<void>((resolve, reject) => {
        term.addEventListener('abort', () => resolve(), { once: true });
        this.end = (error) => (error ? reject(error) : resolve());
      });
      this.log.push(`stop ${clock.monotonicMs()}`);
      await this.onTermEnd();
    });
    // A test that expects the failure awaits it itself.
    this.running.catch(() => undefined);
    candidates.push(this);
  }

  #logger(): Logger {
    const warn: Logger['warn'] = (message, fields) => this.said.push(`${message} ${fields?.error}`);
    return { ...silentLogger, warn, child: () => this.#logger() };
  }
}

function leaders(): number {
  return candidates.filter((candidate) => candidate.leadership.isLeading()).length;
}

beforeEach(() => {
  clock = new FakeClock();
  rows = new FakeFleetRows();
  candidates = [];
});

afterEach(async () => {
  for (const candidate of candidates) candidate.stop.abort();
  await clock.flush();
  expect(clock.sleeping()).toBe(0);
});

describe('leadership by a row', () => {
  it('is won at once by the first, who keeps it; others wait', async () => {
    const a = new Candidate('a');
    await clock.flush();
    const b = new Candidate('b');

    await clock.advance(120_000);

    expect(a.log).toEqual(['lead 0']);
    expect(b.log).toEqual([]);
    expect([a.leadership.isLeading(), b.leadership.isLeading()]).toEqual([true, false]);
    expect(rows.leader?.beats).toBeGreaterThan(50);
  });

  it('is not in sight while the row cannot be read, which is said once for each reason', async () => {
    const a = new Candidate('a');
    a.store.faults.onCall = async () => {
      throw new FleetError('no right', { code: 'Forbidden', disposition: 'fatal' });
    };
    await clock.advance(20_000);
    expect(a.leadership.hasLooked()).toBe(false);
    expect(a.said).toEqual(['leader row not reachable Forbidden']);

    a.store.faults.onCall = async () => undefined;
    await clock.advance(3_000);
    expect(a.leadership.hasLooked()).toBe(true);
    expect(a.leadership.isLeading()).toBe(true);
  });

  it('goes over within one retry period of a shutdown, after the old leader has stopped', async () => {
    const a = new Candidate('a');
    await clock.flush();
    const b = new Candidate('b');
    await clock.advance(10_500);
    a.onTermEnd = () => clock.sleep(3_000);

    a.stop.abort();
    await clock.advance(2_900);
    expect(leaders()).toBe(0);
    await clock.advance(2_500);

    expect(a.log).toEqual(['lead 0', 'stop 10500']);
    expect(b.leadership.isLeading()).toBe(true);
    await a.running;
  });

  it('is taken from a leader that died after its row stood still for the lease duration', async () => {
    const a = new Candidate('a');
    await clock.flush();
    const b = new Candidate('b');
    await clock.advance(20_100);
    a.store.faults.onCall = () => 'hang';

    await clock.advance(9_000);
    expect(b.log).toEqual([]);
    await clock.advance(5_000);

    expect(b.leadership.isLeading()).toBe(true);
  });

  it.each(['before', 'after', 'hang'] as const)(
    'ends at the renew deadline, before anybody follows, when renewals fail: %s',
    async (fault) => {
      const a = new Candidate('a');
      await clock.flush();
      const b = new Candidate('b');
      await clock.advance(20_100);
      a.store.faults.onCall = (method) => (method === 'claimLeader' ? fault : undefined);
      let most = 0;

      for (let i = 0; i < 200; i++) {
        await clock.advance(100);
        most = Math.max(most, leaders());
      }

      expect(most).toBe(1);
      const stoppedMs = Number(a.log.find((line) => line.startsWith('stop'))?.split(' ')[1]);
      const followedMs = Number(
        b.log.find((line) => line.startsWith('lead'))?.split(' ')[1] ?? Number.POSITIVE_INFINITY,
      );
      expect(stoppedMs).toBeGreaterThanOrEqual(25_000);
      expect(stoppedMs).toBeLessThanOrEqual(27_100);
      expect(followedMs).toBeGreaterThan(stoppedMs);
    },
  );

  it('goes on when single renewals fail or their answers get lost', async () => {
    const a = new Candidate('a');
    await clock.flush();
    new Candidate('b');
    let calls = 0;
    a.store.faults.onCall = () => [undefined, 'before', 'after'][calls++ % 3] as 'before' | 'after' | undefined;

    await clock.advance(120_000);

    expect(a.log).toEqual(['lead 0']);
    expect(a.leadership.isLeading()).toBe(true);
  });

  it('ends at once for a leader that finds the row in another name', async () => {
    const a = new Candidate('a');
    await clock.advance(5_000);
    rows.leader = { holder: 'x', beats: 99 };

    await clock.advance(2_100);

    expect(a.log).toHaveLength(2);
    expect(a.leadership.isLeading()).toBe(false);
    expect(rows.leader).toEqual({ holder: 'x', beats: 99 });
  });

  it('is won again after a term was lost', async () => {
    const a = new Candidate('a');
    await clock.advance(5_000);
    a.store.faults.onCall = () => 'before';
    await clock.advance(20_000);
    a.store.faults.onCall = () => undefined;

    await clock.advance(3_000);

    expect(a.log.map((line) => line.split(' ')[0])).toEqual(['lead', 'stop', 'lead']);
  });

  it('is given back, and the failure surfaces, when leading fails', async () => {
    const a = new Candidate('a');
    await clock.advance(5_000);

    a.end(new Error('a bug in the leader'));

    await expect(a.running).rejects.toThrow('a bug in the leader');
    expect(rows.leader).toBeUndefined();
  });

  it('gives one leader at a time to many candidates that come and go', async () => {
    let most = 0;
    for (let i = 0; i < 12; i++) {
      new Candidate(`c${i}`);
      await clock.advance(1_500);
      if (i % 3 === 2) candidates[i - 2]?.stop.abort();
      if (i % 4 === 3) (candidates[i - 1] as Candidate).store.faults.onCall = () => 'before';
      for (let step = 0; step < 150; step++) {
        await clock.advance(100);
        most = Math.max(most, leaders());
      }
      expect(leaders()).toBe(1);
    }
    expect(most).toBe(1);
  });
});
