/**
 * Leases for tests: a fresh free lease, with what the test is about written over it.
 */
import { type Lease, leaseKeyOf, shardIdOf } from '../../lease/lease.ts';

export function testLeaseKey(shardId: string): string {
  return leaseKeyOf('123456789012', 'logins', 1_790_000_000, shardId);
}

export function buildLease(overrides: Partial<Lease> = {}): Lease {
  const key = overrides.key ?? testLeaseKey('shardId-000000000000');
  return {
    key,
    shardId: shardIdOf(key),
    generation: 0,
    checkpoint: { kind: 'TRIM_HORIZON' },
    checkpointVersion: 0,
    parents: [],
    children: [],
    ownerSwitchesSinceCheckpoint: 0,
    ...overrides,
  };
}
