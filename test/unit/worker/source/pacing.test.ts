/** When a shard may be read next. */
import { expect, test } from 'vitest';
import { ShardPacing } from '../../../../worker/source/pacing.ts';

function pacing(random = 1): ShardPacing {
  return new ShardPacing(250, () => random);
}

test('a shard that is caught up is read a poll interval after the start of its last read', () => {
  const shard = pacing();
  shard.started(1_000);
  shard.succeeded(false);
  expect(shard.waitMs(1_100)).toBe(150);
  expect(shard.waitMs(1_300)).toBe(0);
});

test('a shard that is behind is read at once until five reads started within a second', () => {
  const shard = pacing();
  for (const startMs of [0, 10, 20, 30, 40]) {
    expect(shard.waitMs(startMs)).toBe(0);
    shard.started(startMs);
    shard.succeeded(true);
  }
  expect(shard.waitMs(50)).toBeGreaterThanOrEqual(950);
  expect(shard.waitMs(1_030)).toBe(0);
});

test('throttling backs off exponentially to at most five seconds, and a success forgets it', () => {
  const shard = pacing();
  const waits = Array.from({ length: 9 }, () => {
    shard.failed('throttled', 0);
    return shard.waitMs(0);
  });
  shard.succeeded(true);
  shard.failed('throttled', 0);
  expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  expect(shard.waitMs(0)).toBe(100);
});

test('jitter spreads the waits of many shards', () => {
  const waits = [0, 0.5, 1].map((random) => {
    const shard = pacing(random);
    shard.failed('transient', 0);
    return shard.waitMs(0);
  });
  expect(new Set(waits).size).toBe(3);
});

test('what only a person can mend is tried every 5 to 30 seconds', () => {
  const shard = pacing();
  const waits = Array.from({ length: 5 }, () => {
    shard.failed('refused', 0);
    return shard.waitMs(0);
  });
  expect(waits).toEqual([5_000, 10_000, 20_000, 30_000, 30_000]);
});

test('an expired iterator is replaced at once, but not in a hot loop', () => {
  const shard = pacing();
  shard.failed('expired', 0);
  const first = shard.waitMs(0);
  shard.failed('expired', 0);
  expect([first, shard.waitMs(0)]).toEqual([0, 200]);
});
