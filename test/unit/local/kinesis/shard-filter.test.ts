import { describe, expect, it } from 'vitest';
import { MAX_HASH_KEY } from '../../../../local/kinesis/hash-key.ts';
import { Shard } from '../../../../local/kinesis/shard.ts';
import { isSelected, type ShardFilter } from '../../../../local/kinesis/shard-filter.ts';

/** Shard 0 lives from 0 to 100, its child 1 from 100 to 200, the child's child 2 from 200 on. */
function lineage(): Shard[] {
  const range = { start: 0n, end: MAX_HASH_KEY };
  const first = new Shard({ index: 0, range, parents: [], createdMs: 0, createdSecond: 1 });
  first.closedMs = 100;
  const second = new Shard({ index: 1, range, parents: [first], createdMs: 100, createdSecond: 1 });
  second.closedMs = 200;
  return [first, second, new Shard({ index: 2, range, parents: [second], createdMs: 200, createdSecond: 1 })];
}

function selected(filter: ShardFilter, horizonMs = 0): number[] {
  return lineage()
    .filter((shard) => isSelected(shard, filter, horizonMs))
    .map((shard) => shard.index);
}

describe('a shard filter', () => {
  it('AT_LATEST selects the open shards', () => {
    expect(selected({ type: 'AT_LATEST' })).toEqual([2]);
  });

  it('AT_TRIM_HORIZON selects what was open at the oldest instant kept', () => {
    expect(selected({ type: 'AT_TRIM_HORIZON' })).toEqual([0]);
    expect(selected({ type: 'AT_TRIM_HORIZON' }, 150)).toEqual([1]);
  });

  it('FROM_TRIM_HORIZON selects what has been open since', () => {
    expect(selected({ type: 'FROM_TRIM_HORIZON' })).toEqual([0, 1, 2]);
    expect(selected({ type: 'FROM_TRIM_HORIZON' }, 150)).toEqual([1, 2]);
  });

  it('AT_TIMESTAMP selects what was open at that instant, both ends included', () => {
    expect(selected({ type: 'AT_TIMESTAMP', timestampMs: 99 })).toEqual([0]);
    expect(selected({ type: 'AT_TIMESTAMP', timestampMs: 100 })).toEqual([0, 1]);
    expect(selected({ type: 'AT_TIMESTAMP', timestampMs: 101 })).toEqual([1]);
  });

  it('FROM_TIMESTAMP selects what was open then or later', () => {
    expect(selected({ type: 'FROM_TIMESTAMP', timestampMs: 101 })).toEqual([1, 2]);
    expect(selected({ type: 'FROM_TIMESTAMP', timestampMs: 201 })).toEqual([2]);
  });

  it('takes a time before the trim horizon as the trim horizon', () => {
    expect(selected({ type: 'FROM_TIMESTAMP', timestampMs: 5 }, 150)).toEqual([1, 2]);
    expect(selected({ type: 'AT_TIMESTAMP', timestampMs: 5 }, 150)).toEqual([1]);
  });

  it('AFTER_SHARD_ID selects the ids that follow', () => {
    expect(selected({ type: 'AFTER_SHARD_ID', shardId: 'shardId-000000000000' })).toEqual([1, 2]);
  });
});
