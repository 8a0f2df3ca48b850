import { describe, expect, it } from 'vitest';
import { backoffMs, retry } from '../../../runtime/backoff.ts';
import { FleetError } from '../../../runtime/errors.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const passing = (): FleetError => new FleetError('busy', { code: 'Busy', disposition: 'retry' });

describe('back-off', () => {
  it('doubles up to its ceiling, with jitter in its upper half', () => {
    const options = { baseMs: 100, maxMs: 1_000 };
    expect([1, 2, 3, 4, 5, 60].map((attempt) => backoffMs(options, attempt, () => 1))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    expect(backoffMs(options, 3, () => 0)).toBe(200);
  });
});

describe('a retried call', () => {
  it('is made again after passing failures, each reported, until it succeeds', async () => {
    const clock = new FakeClock();
    const failures: number[] = [];
    let calls = 0;
    const result = retry(
      {
        clock,
        signal: new AbortController().signal,
        baseMs: 10,
        maxMs: 100,
        onRetry: (_, attempt) => failures.push(attempt),
      },
      () => (++calls < 3 ? Promise.reject(passing()) : Promise.resolve('done')),
    );
    expect(await clock.runUntil(result)).toBe('done');
    expect(failures).toEqual([1, 2]);
  });

  it('fails at once for a failure that no time mends', async () => {
    let calls = 0;
    const call = (): Promise<never> => {
      calls++;
      return Promise.reject(new Error('wrong'));
    };
    const options = { clock: new FakeClock(), signal: new AbortController().signal, baseMs: 10, maxMs: 100 };
    await expect(retry(options, call)).rejects.toThrow('wrong');
    expect(calls).toBe(1);
  });

  it('ends with the reason of its signal', async () => {
    const stop = new AbortController();
    const clock = new FakeClock();
    const result = retry({ clock, signal: stop.signal, baseMs: 10, maxMs: 100 }, () => {
      stop.abort(new Error('told to stop'));
      return Promise.reject(passing());
    });
    await expect(clock.runUntil(result)).rejects.toThrow('told to stop');
  });
});
