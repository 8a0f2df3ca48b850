import { describe, expect, it } from 'vitest';
import type { InitialPosition } from '../../../../controller/config.ts';
import type { ListedShard, ShardListing } from '../../../../controller/fleet-view.ts';
import {
  expiredParents,
  missingLeases,
  type ShardGraphInput,
  unnamedChildren,
} from '../../../../controller/shard-sync/shard-graph.ts';
import type { Lease } from '../../../../lease/lease.ts';
import type { Checkpoint } from '../../../../lease/position.ts';
import { buildLease, testLeaseKey } from '../../../support/lease-builder.ts';

const NOW_MS = 1_790_000_500_000;

function shard(shardId: string, parents: readonly string[] = [], isClosed = false): ListedShard {
  return { shardId, parents, isClosed, startingHashKey: '0', endingHashKey: '9' };
}

function listing(shards: readonly ListedShard[], openAtStart?: readonly string[]): ShardListing {
  return { shards, openAtStart, listedAtMs: NOW_MS, gone: new Set() };
}

function leases(...found: readonly (readonly [shardId: string, overrides?: Partial<Lease>])[]): Map<string, Lease> {
  return new Map(found.map(([id, overrides]) => [id, buildLease({ ...overrides, key: testLeaseKey(id) })]));
}

function missing(
  input: Partial<ShardGraphInput> & { readonly listing: ShardListing },
): [string, Checkpoint, readonly string[]][] {
  const none = { leases: new Map(), broken: new Set<string>(), remembered: new Map() };
  const all: ShardGraphInput = { ...none, initial: { kind: 'LATEST' }, ...input };
  return missingLeases(all).map((lease) => [lease.shard.shardId, lease.checkpoint, lease.parents]);
}

const HORIZON: Checkpoint = { kind: 'TRIM_HORIZON' };
const anchored: Checkpoint = { kind: 'AT_TIMESTAMP', timestampMs: NOW_MS };
/** p was split into a and b; a was split into c and d. */
const SPLITS = [shard('p', [], true), shard('a', ['p'], true), shard('b', ['p']), shard('c', ['a']), shard('d', ['a'])];

describe('the first leases of a fleet', () => {
  it('begin at LATEST in the open shards only, anchored at the time of the listing, waiting for nobody', () => {
    expect(missing({ listing: listing(SPLITS) })).toEqual([
      ['b', anchored, []],
      ['c', anchored, []],
      ['d', anchored, []],
    ]);
  });

  it('begin at TRIM_HORIZON in every generation that is left, each waiting for its parents', () => {
    expect(missing({ listing: listing(SPLITS), initial: HORIZON as InitialPosition })).toEqual([
      ['p', HORIZON, []],
      ['a', HORIZON, ['p']],
      ['b', HORIZON, ['p']],
      ['c', HORIZON, ['a']],
      ['d', HORIZON, ['a']],
    ]);
  });

  it('do not wait for a parent that expired', () => {
    const initial = HORIZON as InitialPosition;
    expect(missing({ listing: listing([shard('b', ['gone'])]), initial })).toEqual([['b', HORIZON, []]]);
  });

  it('begin at a time in the shards that were open then, with their descendants, without their ancestors', () => {
    const initial: InitialPosition = { kind: 'AT_TIMESTAMP', timestampMs: 5 };
    const at: Checkpoint = { kind: 'AT_TIMESTAMP', timestampMs: 5 };
    expect(missing({ listing: listing(SPLITS, ['a', 'b']), initial })).toEqual([
      ['a', at, []],
      ['b', at, []],
      ['c', HORIZON, ['a']],
      ['d', HORIZON, ['a']],
    ]);
  });

  it('begin at a time in every shard, in order, when the service cannot say which were open then', () => {
    const initial: InitialPosition = { kind: 'AT_TIMESTAMP', timestampMs: 5 };
    const found = missing({ listing: listing(SPLITS), initial });
    expect(found.map(([id]) => id)).toEqual(['p', 'a', 'b', 'c', 'd']);
    expect(found.every(([, checkpoint]) => checkpoint.kind === 'AT_TIMESTAMP')).toBe(true);
    expect(found.find(([id]) => id === 'c')?.[2]).toEqual(['a']);
  });
});

describe('later leases', () => {
  it('begin at TRIM_HORIZON after their parents, also in a fleet that began at LATEST', () => {
    const found = missing({ listing: listing(SPLITS), leases: leases(['a', { checkpoint: anchored }], ['b']) });
    expect(found).toEqual([
      ['c', HORIZON, ['a']],
      ['d', HORIZON, ['a']],
    ]);
  });

  it('come for all generations at once after a long pause, parents first whatever the order of the list', () => {
    const found = missing({ listing: listing(SPLITS.toReversed()), leases: leases(['p']) });
    expect(found.map(([id]) => id).indexOf('a')).toBeLessThan(found.map(([id]) => id).indexOf('c'));
    expect(found).toHaveLength(4);
  });

  it('of a merge wait for both parents, one of which may have no row', () => {
    const merged = [shard('a', [], true), shard('b', [], true), shard('m', ['a', 'b'])];
    expect(missing({ listing: listing(merged), leases: leases(['a'], ['b']) })).toEqual([['m', HORIZON, ['a', 'b']]]);
    expect(missing({ listing: listing(merged), leases: leases(['a']) })).toEqual([
      ['b', HORIZON, []],
      ['m', HORIZON, ['a', 'b']],
    ]);
  });

  it('are not wanted for shards that were read before the fleet began', () => {
    const began = leases(
      ['b', { checkpoint: anchored }],
      ['c', { checkpoint: anchored }],
      ['d', { checkpoint: anchored }],
    );
    expect(missing({ listing: listing(SPLITS), leases: began })).toEqual([]);
  });
});

describe('a lease row that was deleted by hand', () => {
  it('comes back at TRIM_HORIZON with its parents while somebody remembers it', () => {
    const found = missing({
      listing: listing([shard('x'), shard('y')]),
      leases: leases(['y']),
      remembered: new Map([['x', { parents: ['q'], isFinished: false }]]),
    });
    expect(found).toEqual([['x', HORIZON, ['q']]]);
  });

  it('comes back when a child waits for it, without going on into what was cut off', () => {
    const found = missing({
      listing: listing(SPLITS),
      leases: leases(['b'], ['c', { parents: ['a'] }], ['d', { parents: ['a'] }]),
    });
    expect(found).toEqual([['a', HORIZON, []]]);
  });

  it('is not taken for new: it begins where its siblings began, never now', () => {
    const sibling: Checkpoint = { kind: 'AT_TIMESTAMP', timestampMs: 77 };
    const shards = listing([shard('x'), shard('y')]);
    expect(missing({ listing: shards, leases: leases(['y', { checkpoint: sibling }]) })).toEqual([['x', sibling, []]]);
    expect(missing({ listing: shards, leases: leases(['y']) })).toEqual([['x', HORIZON, []]]);
  });

  it('comes back for all of them when all were deleted under a running controller', () => {
    const remembered = new Map([['x', { parents: [], isFinished: false }]]);
    expect(missing({ listing: listing([shard('x')]), remembered })).toEqual([['x', HORIZON, []]]);
  });
});

describe('a lease row that was removed too early', () => {
  const begun = { parents: ['p'], generation: 1, owner: 'w', checkpoint: { kind: 'TRIM_HORIZON' } } as const;

  it('does not come back when its children have begun: nothing of the parent is read again', () => {
    expect(missing({ listing: listing(SPLITS.slice(0, 3)), leases: leases(['a', begun], ['b', begun]) })).toEqual([]);
  });

  it('does not come back when it was seen finished, whatever its children do', () => {
    const remembered = new Map([['p', { parents: [], isFinished: true }]]);
    const waiting = { parents: ['p'] };
    const found = missing({
      listing: listing(SPLITS.slice(0, 3)),
      leases: leases(['a', waiting], ['b', waiting]),
      remembered,
    });
    expect(found).toEqual([]);
  });
});

describe('a creation of the first leases that was interrupted', () => {
  it('goes on with all that began then and now, each where the fleet began, parents first', () => {
    const found = missing({
      listing: listing([...SPLITS, shard('x')]),
      leases: leases(['x', { checkpoint: anchored }]),
    });
    expect(found).toEqual([
      ['p', anchored, []],
      ['a', anchored, ['p']],
      ['b', anchored, ['p']],
      ['c', anchored, ['a']],
      ['d', anchored, ['a']],
    ]);
  });

  it('loses nothing of a shard that was split before it had a row', () => {
    const found = missing({
      listing: listing([shard('x'), shard('y', [], true), shard('z', ['y'])]),
      leases: leases(['x', { checkpoint: anchored }]),
    });
    expect(found).toEqual([
      ['y', anchored, []],
      ['z', anchored, ['y']],
    ]);
  });

  it('does not count more than was asked for in a fleet that begins at a time', () => {
    const initial: InitialPosition = { kind: 'AT_TIMESTAMP', timestampMs: 5 };
    const found = missing({ listing: listing(SPLITS), leases: leases(['b', { checkpoint: initial }]), initial });
    expect(found.map(([id, { kind }]) => [id, kind])).toEqual([
      ['a', 'AT_TIMESTAMP'],
      ['c', 'AT_TIMESTAMP'],
      ['d', 'AT_TIMESTAMP'],
    ]);
  });
});

describe('a row that cannot be understood', () => {
  const split = listing([shard('p', [], true), shard('a', ['p']), shard('b', ['p'])]);

  it('is a row: the fleet is not begun again beside it', () => {
    expect(missing({ listing: split, broken: new Set(['p', 'a']) })).toEqual([]);
  });

  it('has children that wait for it, from their beginning', () => {
    expect(missing({ listing: split, leases: leases(['a']), broken: new Set(['p']) })).toEqual([['b', HORIZON, ['p']]]);
  });

  it('is no parent that expired', () => {
    const input: ShardGraphInput = {
      ...{ listing: listing([shard('b', ['p'])]), leases: leases(['a']), broken: new Set(['p']) },
      ...{ remembered: new Map(), initial: { kind: 'LATEST' } },
    };
    expect(expiredParents(missingLeases(input), input)).toEqual([]);
  });
});

describe('parents that expired', () => {
  it('are told, and nobody waits for them that has a row or is listed', () => {
    const input: ShardGraphInput = {
      listing: listing([shard('m', ['a', 'b']), shard('a', [], true)]),
      leases: leases(['a']),
      broken: new Set<string>(),
      remembered: new Map(),
      initial: { kind: 'LATEST' },
    };
    expect(expiredParents(missingLeases(input), input)).toEqual(['b']);
  });
});

describe('children', () => {
  it('are named to the rows of their parents once', () => {
    const found = leases(['a'], ['p', { children: ['a', 'b'] }]);
    expect(unnamedChildren(SPLITS, found)).toEqual(new Map([['a', ['c', 'd']]]));
  });
});
