import { describe, expect, it } from 'vitest';
import { LoadMeter, type Metered } from '../../../worker/load-meter.ts';

interface Shard {
  readonly shardId: string;
  readBytes: number;
  readonly rate: number;
}

const shard = (shardId: string, rate: number): Shard => ({ shardId, rate, readBytes: 0 });

/** Each second every shard reads its rate, and is measured. */
function run(meter: LoadMeter, shards: readonly Shard[], fromS: number, seconds: number): Metered {
  let measured = meter.measure(shards, fromS * 1_000);
  for (let second = fromS + 1; second <= fromS + seconds; second++) {
    for (const one of shards) one.readBytes += one.rate;
    measured = meter.measure(shards, second * 1_000);
  }
  return measured;
}

describe('the load of a worker', () => {
  it('names no shard before it was read for half a minute, and then tells its rate', () => {
    const meter = new LoadMeter();
    const shards = [shard('a', 1_000), shard('b', 50)];
    expect(run(meter, shards, 0, 29)).toMatchObject({ leases: 2, busiest: new Map(), othersBytesPerSecond: undefined });
    expect(run(meter, shards, 29, 1)).toEqual({
      leases: 2,
      bytesPerSecond: 1_050,
      busiest: new Map([
        ['a', 1_000],
        ['b', 50],
      ]),
      othersBytesPerSecond: undefined,
    });
  });

  it('names the twelve busiest, and gives the average of the others', () => {
    const shards = Array.from({ length: 20 }, (_, i) => shard(`s${String(i).padStart(2, '0')}`, 1_000 + i));
    const { busiest, othersBytesPerSecond } = run(new LoadMeter(), shards, 0, 60);
    expect([...busiest!.keys()]).toEqual(
      shards
        .slice(8)
        .map(({ shardId }) => shardId)
        .toReversed(),
    );
    expect(othersBytesPerSecond).toBe(1_004);
  });

  it('names no idle shard, but says of the others that they bring nothing', () => {
    const measured = run(new LoadMeter(), [shard('a', 0), shard('b', 0)], 0, 40);
    expect(measured).toEqual({ leases: 2, bytesPerSecond: 0, busiest: new Map(), othersBytesPerSecond: 0 });
  });

  it('is moved little by a burst', () => {
    const meter = new LoadMeter();
    const one = shard('a', 1_000);
    run(meter, [one], 0, 120);
    one.readBytes += 5_000;
    expect(run(meter, [one], 120, 1).busiest!.get('a')).toBeLessThan(1_200);
  });

  it('follows a change of traffic within about a minute', () => {
    const meter = new LoadMeter();
    run(meter, [shard('a', 1_000)], 0, 120);
    const one = shard('a', 1_000);
    run(meter, [one], 120, 60);
    const faster = Object.assign(one, { rate: 10_000 });
    const rate = run(meter, [faster], 180, 75).busiest!.get('a')!;
    expect(rate).toBeGreaterThan(9_000);
  });

  it('forgets a shard that went, and measures it anew when it comes back', () => {
    const meter = new LoadMeter();
    run(meter, [shard('a', 1_000), shard('b', 1_000)], 0, 60);
    expect(run(meter, [shard('b', 1_000)], 60, 10).busiest).toEqual(new Map());
  });

  it('is not measured again by heartbeats that come at once', () => {
    const meter = new LoadMeter();
    const one = shard('a', 1_000);
    const before = run(meter, [one], 0, 60);
    one.readBytes += 100_000;
    expect(meter.measure([one], 60_100)).toEqual(before);
  });
});
