/** The pure questions asked of a lease. */
import { describe, expect, it } from 'vitest';
import { isFinished, isFree, isHandingOff, isHeldBy, isMine, leaseKeyOf, shardIdOf } from '../../../lease/lease.ts';
import { buildLease } from '../../support/lease-builder.ts';

const free = buildLease();
const held = buildLease({ owner: 'a', generation: 1 });
const handing = buildLease({ owner: 'b', checkpointOwner: 'a', generation: 1 });
const finished = buildLease({ checkpoint: { kind: 'SHARD_END' }, generation: 1 });

describe('a lease', () => {
  it.each([
    ['free', free, { free: true, handingOff: false, finished: false }],
    ['held', held, { free: false, handingOff: false, finished: false }],
    ['handing', handing, { free: false, handingOff: true, finished: false }],
    ['finished', finished, { free: false, handingOff: false, finished: true }],
  ])('knows its state when it is %s', (_name, lease, expected) => {
    expect({ free: isFree(lease), handingOff: isHandingOff(lease), finished: isFinished(lease) }).toEqual(expected);
  });

  it('is mine for its owner, and during a handoff for the old owner alone', () => {
    expect([free, held, handing, finished].map((lease) => isMine(lease, 'a'))).toEqual([false, true, true, false]);
    expect([free, held, handing, finished].map((lease) => isMine(lease, 'b'))).toEqual([false, false, false, false]);
  });

  it('is held, so that its generation may be started with, only without a handoff', () => {
    expect([free, held, handing].map((lease) => isHeldBy(lease, 'a'))).toEqual([false, true, false]);
    expect(isHeldBy(handing, 'b')).toBe(false);
  });

  it('has a key that tells account, stream, creation and shard apart', () => {
    const key = leaseKeyOf('123456789012', 'logins', 1_790_000_000, 'shardId-000000000003');

    expect(key).toBe('123456789012:logins:1790000000:shardId-000000000003');
    expect(shardIdOf(key)).toBe('shardId-000000000003');
  });
});
