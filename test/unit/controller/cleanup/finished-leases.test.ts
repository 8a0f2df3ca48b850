import { describe, expect, it } from 'vitest';
import { leasesLeftBehind, outlivedLeases } from '../../../../controller/cleanup/finished-leases.ts';
import { type Lease, leaseKeyOf } from '../../../../lease/lease.ts';
import { type Checkpoint, positionOf } from '../../../../lease/position.ts';
import { buildLease, testLeaseKey } from '../../../support/lease-builder.ts';

const AFTER: Checkpoint = { kind: 'AFTER', position: positionOf('7') };
const SHARD_END: Checkpoint = { kind: 'SHARD_END' };
const HORIZON: Checkpoint = { kind: 'TRIM_HORIZON' };

function lease(shardId: string, checkpoint: Checkpoint, more: Partial<Lease> = {}): Lease {
  return buildLease({ key: testLeaseKey(shardId), checkpoint, ...more });
}

/** Ids of those that may go. */
function outlived(gone: readonly string[], ...leases: readonly Lease[]): string[] {
  return outlivedLeases(new Map(leases.map((each) => [each.shardId, each])), new Set(gone)).map((each) => each.shardId);
}

const RANGE = { startingHashKey: '0', endingHashKey: '99' };
const LOW = { parents: ['p'], startingHashKey: '0', endingHashKey: '49' };
const HIGH = { parents: ['p'], startingHashKey: '50', endingHashKey: '99' };
const parent = lease('p', SHARD_END, { children: ['a', 'b'], ...RANGE });

describe('the row of a finished lease', () => {
  it('goes when its shard is gone from the stream and both children have a checkpoint of their own', () => {
    expect(outlived(['p'], parent, lease('a', AFTER, LOW), lease('b', SHARD_END, HIGH))).toEqual(['p']);
  });

  it('stays while retention still shows its shard', () => {
    expect(outlived([], parent, lease('a', AFTER, LOW), lease('b', AFTER, HIGH))).toEqual([]);
  });

  it.each([HORIZON, { kind: 'AT_TIMESTAMP', timestampMs: 5 } as const])(
    'stays while a child has only a sentinel, $kind',
    (sentinel) => {
      expect(outlived(['p'], parent, lease('a', AFTER, LOW), lease('b', sentinel, HIGH))).toEqual([]);
    },
  );

  it('stays while a child has no row though the stream has its shard', () => {
    expect(outlived(['p'], parent, lease('a', AFTER, LOW))).toEqual([]);
  });

  it('stays while only one child of a split is known', () => {
    const halfKnown = lease('p', SHARD_END, { children: ['a'], ...RANGE });
    expect(outlived(['p'], halfKnown, lease('a', AFTER, LOW))).toEqual([]);
    expect(outlived(['p'], halfKnown, lease('a', AFTER, LOW), lease('b', AFTER, HIGH))).toEqual(['p']);
  });

  it('stays while no child is known at all', () => {
    expect(outlived(['p'], lease('p', SHARD_END, RANGE))).toEqual([]);
  });

  it('goes after a child whose own row was outlived before it', () => {
    expect(outlived(['p', 'b'], parent, lease('a', AFTER, LOW))).toEqual(['p']);
  });

  it('never goes while it is not finished, however long its shard is gone', () => {
    expect(outlived(['p'], lease('p', AFTER, { children: ['a'] }), lease('a', AFTER, LOW))).toEqual([]);
  });
});

describe('rows of an earlier stream of the same name', () => {
  it('are told from those of today, of later ones, and of other streams', () => {
    const keys = [
      leaseKeyOf('1', 'logins', 100, 's'),
      leaseKeyOf('1', 'logins', 200, 's'),
      leaseKeyOf('1', 'logins', 300, 's'),
      leaseKeyOf('1', 'trips', 100, 's'),
      leaseKeyOf('2', 'logins', 100, 's'),
      'shardId-000000000000',
    ];
    const found = leasesLeftBehind(
      keys.map((key) => buildLease({ key })),
      '1:logins:200:',
    );
    expect(found.map(({ key }) => key)).toEqual([keys[0]]);
  });
});
