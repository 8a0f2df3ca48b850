/** Planned moves seen to their end, over a cache that may be older than the rows. */
import { describe, expect, it } from 'vitest';
import type { FleetView, FleetWorker } from '../../../../controller/fleet-view.ts';
import { createHandoff } from '../../../../controller/handoff/reconcile.ts';
import { LeaseCache } from '../../../../controller/lease-cache.ts';
import { silentLogger } from '../../../../runtime/logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeLeaseStore } from '../../../support/fake-lease-store.ts';
import { buildLease } from '../../../support/lease-builder.ts';

const FLEET = {
  ...{
    streamArn: 'arn:aws:kinesis:eu-central-1:123456789012:stream/logins',
    streamCreationEpochSeconds: 1_790_000_000,
  },
};

async function handingOff() {
  const [clock, store, outcomes] = [new FakeClock(), new FakeLeaseStore(), [] as string[]];
  const lease = buildLease({ owner: 'new', checkpointOwner: 'old', generation: 2 });
  store.put(lease);
  const leases = new LeaseCache({ store, onLost: () => undefined });
  await leases.scan();
  const workers = new Map([['old', {} as FleetWorker]]);
  const view = { leases, workers, fleet: FLEET } as unknown as FleetView;
  const onOver = (outcome: string): unknown => outcomes.push(outcome);
  const handoff = createHandoff({ clock, logger: silentLogger, deadlineMs: 30_000, onOver });
  const look = (): Promise<void> => handoff.reconcile(view, new AbortController().signal);
  await look();
  return { store, lease, workers, outcomes, look };
}

describe('a handoff whose old owner is gone', () => {
  it('is forced when the old owner still has the row', async () => {
    const { store, lease, workers, outcomes, look } = await handingOff();
    workers.delete('old');
    await look();

    expect(outcomes).toEqual(['forced']);
    expect(store.peek(lease.key)).toMatchObject({ owner: 'new', generation: 3 });
  });

  it('was a release, and is counted as one, when it let go before it left and only the row that was seen is older', async () => {
    const { store, lease, workers, outcomes, look } = await handingOff();
    store.put({ ...buildLease({ owner: 'new', generation: 3 }), key: lease.key });
    workers.delete('old');
    await look();

    expect(outcomes).toEqual(['released']);
  });
});
