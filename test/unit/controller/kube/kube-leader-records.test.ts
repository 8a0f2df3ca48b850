import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeClient } from '../../../../controller/kube/kube-client.ts';
import { KubeLeaderRecords } from '../../../../controller/kube/kube-leader-records.ts';
import type { LeaderRecord } from '../../../../controller/leader-records.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeKubernetes } from '../../../support/fake-kubernetes.ts';
import { accessTo } from './kube-access.ts';

const RECORD: LeaderRecord = {
  ...{ holder: 'a', leaseDurationMs: 15_000, transitions: 2 },
  ...{ acquiredMs: Date.UTC(2026, 10, 21, 9, 0, 0, 7), renewedMs: Date.UTC(2026, 10, 21, 10, 0, 0, 250) },
};

let api: FakeKubernetes;
let records: KubeLeaderRecords;
beforeEach(async () => {
  api = await FakeKubernetes.start();
  records = connect();
});
afterEach(() => api.stop());

function connect(owner?: string): KubeLeaderRecords {
  return new KubeLeaderRecords({
    client: new KubeClient(accessTo(api), new FakeClock()),
    ...{ namespace: 'ns', name: 'fleet-leader', owner },
  });
}

describe('the record in a Lease', () => {
  it('is absent until it is written, and then reads as it was written, with times of microseconds', async () => {
    expect(await records.read()).toBeUndefined();

    const written = await records.write(RECORD, undefined);

    expect(written).toMatchObject(RECORD);
    expect(await connect().read()).toEqual(written);
    expect(api.get('leases/fleet-leader')?.spec).toEqual({
      ...{ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 2 },
      ...{ acquireTime: '2026-11-21T09:00:00.007000Z', renewTime: '2026-11-21T10:00:00.250000Z' },
    });
  });

  it('has one winner among two that saw nothing, and among two that saw the same', async () => {
    const first = await records.write(RECORD, undefined);
    expect(await connect().write({ ...RECORD, holder: 'b' }, undefined)).toBeUndefined();
    expect(await connect().write({ ...RECORD, holder: 'b' }, first?.version)).toMatchObject({ holder: 'b' });
    expect(await records.write(RECORD, first?.version)).toBeUndefined();
  });

  it('is lost by whoever replaces what was deleted', async () => {
    const first = await records.write(RECORD, undefined);
    api.delete('leases/fleet-leader');
    expect(await records.write(RECORD, first?.version)).toBeUndefined();
  });

  it('keeps what others put on the object, which may have no holder yet', async () => {
    api.put('leases/fleet-leader', { metadata: { name: 'fleet-leader', labels: { of: 'chart' } } });
    const found = await records.read();
    expect(found).toMatchObject({ holder: '', transitions: 0 });

    await records.write(RECORD, found?.version);

    expect(api.get('leases/fleet-leader')?.metadata).toMatchObject({ labels: { of: 'chart' } });
  });

  it('belongs to the Deployment of the controllers, when told of one, and still does after a renewal', async () => {
    api.put('deployments/controllers', { metadata: { name: 'controllers', uid: 'u-1' } });
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'controllers', uid: 'u-1' };

    const leader = connect('controllers');
    const first = await leader.write(RECORD, undefined);
    const made = api.get('leases/fleet-leader')?.metadata.ownerReferences;
    const renewed = await leader.write({ ...RECORD, renewedMs: RECORD.renewedMs + 2_000 }, first?.version);
    const next = connect('controllers');
    await next.read();
    await next.write({ ...RECORD, holder: 'b' }, renewed?.version);

    expect(made).toEqual([owner]);
    expect(api.get('leases/fleet-leader')?.metadata.ownerReferences).toEqual([owner]);
  });

  it('is not made by a controller whose Deployment is gone: nothing would remove it', async () => {
    await expect(connect('controllers').write(RECORD, undefined)).rejects.toMatchObject({ status: 404 });
    expect(api.count('leases')).toBe(0);
  });

  it('belongs to nobody where the Role does not let the controller read its Deployment', async () => {
    api.onRequest = ({ path }) => (path.includes('/deployments/') ? 403 : undefined);
    expect(await connect('controllers').write(RECORD, undefined)).toMatchObject(RECORD);
    expect(api.get('leases/fleet-leader')?.metadata.ownerReferences ?? []).toEqual([]);
  });

  it('fails when the API refuses', async () => {
    api.onRequest = () => 403;
    await expect(records.read()).rejects.toMatchObject({ status: 403 });
    await expect(records.write(RECORD, undefined)).rejects.toMatchObject({ status: 403 });
  });
});
