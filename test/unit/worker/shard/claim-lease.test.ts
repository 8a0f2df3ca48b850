import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../../lease/lease.ts';
import { Waiting } from '../../../../worker/ledger/waiting.ts';
import { claimLease } from '../../../../worker/shard/claim-lease.ts';
import { Nudge } from '../../../../worker/shard/nudge.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeLeaseStore } from '../../../support/fake-lease-store.ts';
import { buildLease } from '../../../support/lease-builder.ts';

function bench(lease: Partial<Lease>) {
  const clock = new FakeClock();
  const store = new FakeLeaseStore();
  const row = buildLease({ generation: 4, ...lease });
  store.put(row);
  const nudge = new Nudge(clock);
  const handoffs: Lease[] = [];
  const parts = {
    ...{ leases: store, nudge, workerId: 'me', waiting: new Waiting(clock) },
    onHandoff: (seen: Lease) => handoffs.push(seen),
  };
  const claim = (forNewOwner = true) => claimLease(parts, row.key, forNewOwner, new AbortController().signal);
  return { clock, store, row, nudge, handoffs, claim };
}

describe('claiming a lease', () => {
  it('starts in the generation of a row that names this worker', async () => {
    const { claim } = bench({ owner: 'me' });
    expect(await claim()).toMatchObject({ kind: 'mine', lease: { generation: 4 } });
  });

  it.each([
    ['another owner', { owner: 'other' }],
    ['no owner', {}],
    ['a finished shard', { owner: 'me', checkpoint: { kind: 'SHARD_END' } }],
  ] as const)('starts nothing on a row with %s', async (_, lease) => {
    expect(await bench(lease).claim()).toEqual({ kind: 'notMine' });
  });

  it('waits for the old owner, looking every 200 ms, and starts in the generation it finds then', async () => {
    const { clock, store, row, handoffs, claim } = bench({ owner: 'me', checkpointOwner: 'old' });
    const claiming = claim();
    await clock.advance(1_000);
    await store.release({ key: row.key, workerId: 'old', generation: 4 });

    expect(await clock.runUntil(claiming)).toMatchObject({ kind: 'mine', lease: { generation: 5 } });
    expect(handoffs).toHaveLength(1);
    expect(store.faults.calls.filter((call) => call === 'read').length).toBe(7);
  });

  it('looks at once when a hint comes', async () => {
    const { clock, store, row, nudge, claim } = bench({ owner: 'me', checkpointOwner: 'old' });
    const claiming = claim();
    await clock.advance(10);
    await store.release({ key: row.key, workerId: 'old', generation: 4 });
    nudge.give();
    await clock.flush();

    expect(await claiming).toMatchObject({ kind: 'mine' });
    expect(clock.monotonicMs()).toBe(10);
  });

  it('stops waiting when the move goes to somebody else', async () => {
    const { clock, store, row, claim } = bench({ owner: 'me', checkpointOwner: 'old' });
    const claiming = claim();
    await store.retarget({ key: row.key, generation: 4 }, 'old', 'me', 'other');

    expect(await clock.runUntil(claiming)).toEqual({ kind: 'notMine' });
  });

  it('does not go on reading as an old owner that came back: it lets go', async () => {
    const { store, row, claim } = bench({ owner: 'new', checkpointOwner: 'me' });

    expect(await claim(false)).toMatchObject({ kind: 'released', lease: { owner: 'new', generation: 5 } });
    expect(store.peek(row.key)?.checkpointOwner).toBeUndefined();
  });
});
