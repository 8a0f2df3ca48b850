import { describe, expect, it } from 'vitest';
import { ReadLimit, WriteLimit } from '../../../../local/kinesis/rate-limit.ts';

const MIB = 1024 * 1024;

function admitted(limit: ReadLimit, ...timesMs: number[]): number {
  return timesMs.filter((atMs) => limit.admit(atMs)).length;
}

describe('the read limit of a shard', () => {
  it('admits five calls in any second and a refused call costs nothing', () => {
    const limit = new ReadLimit();

    expect(admitted(limit, 0, 10, 20, 30, 40)).toBe(5);
    expect(admitted(limit, 50, 500, 999)).toBe(0);
    expect(admitted(limit, 1000, 1001, 1010)).toBe(2);
  });

  it('blocks for a second after more than 2 MiB within one', () => {
    const limit = new ReadLimit();
    limit.admit(0);
    limit.charge(0, 1.5 * MIB);
    limit.admit(100);
    limit.charge(100, 1 * MIB);

    expect(limit.admit(1099)).toBe(false);
    expect(limit.admit(1100)).toBe(true);
  });

  it('blocks for five seconds after an answer of 10 MiB', () => {
    const limit = new ReadLimit();
    limit.admit(0);
    limit.charge(0, 10 * MIB);

    expect(limit.admit(4999)).toBe(false);
    expect(limit.admit(5000)).toBe(true);
  });

  it('lets 2 MiB a second pass', () => {
    const limit = new ReadLimit();
    const outcomes = [0, 1000, 2000, 3000].map((atMs) => {
      const isAdmitted = limit.admit(atMs);
      limit.charge(atMs, 2 * MIB);
      return isAdmitted;
    });

    expect(outcomes).toEqual([true, true, true, true]);
  });
});

describe('the write limit of a shard', () => {
  function countAdmitted(limit: WriteLimit, atMs: number, attempts: number, bytes: number): number {
    return Array.from({ length: attempts }, () => limit.admit(atMs, bytes)).filter(Boolean).length;
  }

  it('admits 1,000 records and refills as time passes', () => {
    const limit = new WriteLimit();

    expect(countAdmitted(limit, 0, 1500, 10)).toBe(1000);
    expect(countAdmitted(limit, 100, 1500, 10)).toBe(100);
    expect(countAdmitted(limit, 60_000, 1500, 10)).toBe(1000);
  });

  it('admits 1 MiB', () => {
    const limit = new WriteLimit();

    expect(countAdmitted(limit, 0, 20, MIB / 8)).toBe(8);
    expect(countAdmitted(limit, 500, 20, MIB / 8)).toBe(4);
  });

  it('lets a record larger than a second take in, and pays it off', () => {
    const limit = new WriteLimit();

    expect(limit.admit(0, 5 * MIB)).toBe(true);
    expect(limit.admit(3900, 1)).toBe(false);
    expect(limit.admit(4100, 1)).toBe(true);
  });
});
