import { expect, test } from 'vitest';
import { ShardListing } from '../../../../worker/source/shard-listing.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

test('a listing that never answers ends at its deadline, and the next one asks again', async () => {
  const clock = new FakeClock();
  let calls = 0;
  const listShards = (): Promise<never[]> => {
    calls += 1;
    return calls === 1 ? new Promise(() => undefined) : Promise.resolve([]);
  };
  const listing = new ShardListing({ listShards, describeStream: () => Promise.reject(new Error('not asked')) }, clock);

  await expect(clock.runUntil(listing.familyOf('shard', 0), 60_000)).rejects.toThrow('deadline');

  expect(await listing.familyOf('shard', 0)).toEqual({ shard: undefined, children: [] });
});
