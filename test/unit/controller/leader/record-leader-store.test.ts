/** Leadership by a Lease: the fleet's own election over records as the Kubernetes API keeps them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordLeaderStore } from '../../../../controller/leader/record-leader-store.ts';
import type { LeaderRecord, LeaderRecords, StoredLeaderRecord } from '../../../../controller/leader-records.ts';
import { RowLeadership } from '../../../../lease/leadership.ts';
import { silentLogger } from '../../../../runtime/logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { StoreFaults } from '../../../support/store-faults.ts';

let clock: FakeClock;
let stored: StoredLeaderRecord | undefined;
let versions: number;
let candidates: Candidate[];

class FakeRecords implements LeaderRecords {
  readonly faults = new StoreFaults();

  read(): Promise<StoredLeaderRecord | undefined> {
    return this.faults.around('read', () => stored);
  }

  write(record: LeaderRecord, seenVersion: string | undefined): Promise<StoredLeaderRecord | undefined> {
    return this.faults.around('write', () => {
      if (stored?.version !== seenVersion) return undefined;
      stored = { ...record, version: String(++versions) };
      return stored;
    });
  }
}

class Candidate {
  readonly records = new FakeRecords();
  readonly stop = new AbortController();
  readonly log: string[] = [];
  readonly leadership: RowLeadership;
  readonly running: Promise<void>;

  constructor(holder: string, leaseDurationMs = 15_000, renewDeadlineMs = 10_000) {
    this.leadership = new RowLeadership({
      store: new RecordLeaderStore({ records: this.records, clock, leaseDurationMs }),
      ...{ clock, logger: silentLogger, holder, leaseDurationMs, renewDeadlineMs },
      ...{ retryMs: 2_000, random: () => 0.5 },
    });
    this.running = this.leadership.run(this.stop.signal, async (term) => {
      this.log.push(`lead ${clock.monotonicMs()}`);
      await new Promise<void>((resolve) => term.addEventListener('abort', () => resolve(), { once: true }));
      this.log.push(`stop ${clock.monotonicMs()}`);
    });
    candidates.push(this);
  }
}

async function mostLeadersWithin(ms: number): Promise<number> {
  let most = 0;
  for (let passed = 0; passed < ms; passed += 100) {
    await clock.advance(100);
    most = Math.max(most, candidates.filter(({ leadership }) => leadership.isLeading()).length);
  }
  return most;
}

beforeEach(() => {
  clock = new FakeClock();
  stored = undefined;
  versions = 0;
  candidates = [];
});
afterEach(async () => {
  for (const candidate of candidates) candidate.stop.abort();
  await clock.advance(1);
  expect(clock.sleeping()).toBe(0);
});

describe('leadership by a Lease', () => {
  it('is won at once and renewed; the record says who leads, since when, and what to wait for', async () => {
    const a = new Candidate('a');
    await clock.flush();
    const b = new Candidate('b');
    await clock.advance(60_000);

    expect([a.log, b.log]).toEqual([['lead 0'], []]);
    expect(stored).toMatchObject({ holder: 'a', leaseDurationMs: 15_000, transitions: 0 });
    expect((stored?.renewedMs ?? 0) - (stored?.acquiredMs ?? 0)).toBeGreaterThan(55_000);
  });

  it('is released at a shutdown, so that the next one does not wait', async () => {
    const a = new Candidate('a');
    await clock.flush();
    const b = new Candidate('b');
    await clock.advance(10_500);

    a.stop.abort();
    await a.running;
    expect(stored).toMatchObject({ holder: '', leaseDurationMs: 1_000 });
    await clock.advance(2_000);

    expect(b.leadership.isLeading()).toBe(true);
    expect(stored).toMatchObject({ holder: 'b', transitions: 1 });
  });

  it('is taken 15 s after the record last changed, whatever its times say', async () => {
    const a = new Candidate('a');
    await clock.flush();
    clock.wallSkewMs = 3_600_000;
    const b = new Candidate('b');
    await clock.advance(20_100);
    a.records.faults.onCall = () => 'hang';

    await clock.advance(14_000);
    expect(b.log).toEqual([]);
    await clock.advance(3_000);

    expect(b.leadership.isLeading()).toBe(true);
  });

  it.each(['before', 'after', 'hang'] as const)('ends before anybody follows when writes fail: %s', async (fault) => {
    const a = new Candidate('a');
    await clock.flush();
    const b = new Candidate('b');
    await clock.advance(20_100);
    a.records.faults.onCall = (method) => (method === 'write' ? fault : undefined);

    expect(await mostLeadersWithin(60_000)).toBe(1);

    expect(a.log.some((line) => line.startsWith('stop'))).toBe(true);
    if (fault !== 'after') expect(b.leadership.isLeading()).toBe(true);
  });

  it('waits as long as the holder asked for, when two versions have two settings', async () => {
    const slow = new Candidate('slow', 30_000, 25_000);
    await clock.flush();
    const quick = new Candidate('quick');
    await clock.advance(10_100);
    slow.records.faults.onCall = () => 'before';

    expect(await mostLeadersWithin(60_000)).toBe(1);

    const followedMs = Number(quick.log[0]?.split(' ')[1]);
    expect(followedMs).toBeGreaterThanOrEqual(38_000);
  });

  it('counts a renewal whose answer was lost from the one that follows it', async () => {
    const a = new Candidate('a');
    await clock.flush();
    new Candidate('b');
    let writes = 0;
    a.records.faults.onCall = (method) => (method === 'write' && writes++ % 3 === 0 ? 'after' : undefined);

    await clock.advance(120_000);

    expect(a.log).toEqual(['lead 0']);
  });

  it('stays with its holder, and expires all the same, when others touch the object', async () => {
    const a = new Candidate('a');
    await clock.flush();
    const b = new Candidate('b');
    const touch = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 500) {
        await clock.advance(500);
        if (stored) stored = { ...stored, version: String(++versions) };
      }
    };
    await touch(30_000);
    expect(a.log).toEqual(['lead 0']);
    a.records.faults.onCall = () => 'before';

    await touch(20_000);

    expect(b.leadership.isLeading()).toBe(true);
  });

  it('is claimed from a record that a chart made without a holder', async () => {
    stored = { holder: '', leaseDurationMs: 0, acquiredMs: 0, renewedMs: 0, transitions: 0, version: 'v0' };
    const a = new Candidate('a');
    await clock.flush();
    expect(a.leadership.isLeading()).toBe(true);
  });
});
