import { describe, expect, it } from 'vitest';
import { ordersOf, ordersText } from '../../../../controller/orders/orders-of.ts';
import { buildLease } from '../../../support/lease-builder.ts';

describe('orders', () => {
  it('hold what is owned, drain what is handed off, prepare what is to come, and say nothing about the rest', () => {
    const orders = ordersOf([
      buildLease({ key: 'b', owner: 'w1' }),
      buildLease({ key: 'a', owner: 'w1' }),
      buildLease({ key: 'c', owner: 'w2', checkpointOwner: 'w1' }),
      buildLease({ key: 'free' }),
      buildLease({ key: 'done', owner: 'w1', checkpoint: { kind: 'SHARD_END' } }),
    ]);
    expect(orders.get('w1')).toEqual([
      { leaseKey: 'a', verb: 'hold' },
      { leaseKey: 'b', verb: 'hold' },
      { leaseKey: 'c', verb: 'drain' },
    ]);
    expect(orders.get('w2')).toEqual([{ leaseKey: 'c', verb: 'hold' }]);
    expect(orders.size).toBe(2);
  });

  it('drain first when a lease comes back to its old owner', () => {
    expect(ordersOf([buildLease({ key: 'a', owner: 'w1', checkpointOwner: 'w1' })]).get('w1')).toEqual([
      { leaseKey: 'a', verb: 'drain' },
    ]);
  });

  it('differ in text when they differ', () => {
    expect(ordersText([{ leaseKey: 'a', verb: 'hold' }])).not.toBe(ordersText([{ leaseKey: 'a', verb: 'drain' }]));
  });
});
