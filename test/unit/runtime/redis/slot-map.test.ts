import { describe, expect, it } from 'vitest';
import { keySlot } from '../../../../runtime/redis/key-slot.ts';
import { nodesOf, parseSlotMap, primaryOf } from '../../../../runtime/redis/slot-map.ts';

describe('the hash slot of a key', () => {
  it('is that of the Redis Cluster specification', () => {
    expect(keySlot('123456789')).toBe(12_739);
    expect(keySlot('foo')).toBe(12_182);
    expect(keySlot('')).toBe(0);
  });

  it('is that of the tag, if there is one that is not empty', () => {
    expect(keySlot('{fleet.0}:rows')).toBe(keySlot('fleet.0'));
    expect(keySlot('x{fleet.0}{y}')).toBe(keySlot('fleet.0'));
    expect(keySlot('{}x')).not.toBe(keySlot(''));
    expect(keySlot('{x')).not.toBe(keySlot('x'));
  });
});

describe('the slot map', () => {
  const asked = { host: 'asked', port: 1 };
  const answer = [
    [0, 99, ['a', 7000, 'id'], ['b', 7001, 'id', []]],
    [100, 16_383, ['', 7002, 'id'], [null, 7003, 'id'], ['?', 7004, 'id']],
  ];

  it('says who has a slot; a node that does not know its own name is the one that was asked', () => {
    const ranges = parseSlotMap(answer, asked);
    expect(primaryOf(ranges, 99)).toEqual({ host: 'a', port: 7000 });
    expect(primaryOf(ranges, 100)).toEqual({ host: 'asked', port: 7002 });
    expect(nodesOf(ranges).primaries).toHaveLength(2);
    expect(nodesOf(ranges).all.map(({ port }) => port)).toEqual([7000, 7002, 7001, 7003, 7004]);
  });

  it('has no primary for a slot that nobody serves, and none for a range without one', () => {
    expect(primaryOf(parseSlotMap([[0, 99, ['a', 7000]]], asked), 100)).toBeUndefined();
    expect(parseSlotMap([[0, 99, [], ['b', 7001]], 'x'], asked)).toEqual([]);
    expect(parseSlotMap('nonsense', asked)).toEqual([]);
  });
});
