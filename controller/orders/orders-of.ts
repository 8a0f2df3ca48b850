/**
 * What each worker is to do, from the lease rows alone. Pure. During a handoff the old owner drains and the new one
 * already holds (it prepares, and starts when the row is its own); who is both drains first.
 */
import type { Lease } from '../../lease/lease.ts';
import type { Order } from '../../lease/worker-store.ts';

/** Orders by worker id, each list sorted by lease key; workers without orders are left out. */
export function ordersOf(leases: Iterable<Lease>): Map<string, Order[]> {
  const orders = new Map<string, Order[]>();
  const give = (workerId: string, order: Order): void => {
    const list = orders.get(workerId);
    if (list) list.push(order);
    else orders.set(workerId, [order]);
  };
  for (const { key, owner, checkpointOwner, checkpoint } of leases) {
    if (checkpoint.kind === 'SHARD_END') continue;
    if (checkpointOwner !== undefined) give(checkpointOwner, { leaseKey: key, verb: 'drain' });
    if (owner !== undefined && owner !== checkpointOwner) give(owner, { leaseKey: key, verb: 'hold' });
  }
  for (const list of orders.values()) list.sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1));
  return orders;
}

/** Two lists say the same when their texts are equal. */
export function ordersText(orders: readonly Order[]): string {
  return orders.map((order) => `${order.verb} ${order.leaseKey}`).join('\n');
}
