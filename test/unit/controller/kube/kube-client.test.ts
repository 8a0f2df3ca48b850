import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KubeClient } from '../../../../controller/kube/kube-client.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeKubernetes } from '../../../support/fake-kubernetes.ts';
import { accessTo } from './kube-access.ts';
import { podObject } from './pod-builder.ts';

let api: FakeKubernetes;
let clock: FakeClock;
let client: KubeClient;

function listPods(signal?: AbortSignal) {
  return client.call('list pods', (options) => client.core.listNamespacedPod({ namespace: 'ns' }, options), signal);
}

beforeEach(async () => {
  api = await FakeKubernetes.start();
  clock = new FakeClock();
  client = new KubeClient(accessTo(api), clock);
});
afterEach(() => api.stop());

describe('a call to the API', () => {
  it('uses the connections of the calls before it', async () => {
    api.put('pods/w-1', podObject());

    for (let i = 0; i < 10; i++) expect((await listPods()).items).toHaveLength(1);

    // A second one when a call comes before the first connection is free again.
    expect(api.connections).toBeLessThanOrEqual(2);
  });

  it('ends at its deadline when the API does not answer', async () => {
    api.onRequest = () => 'hang';
    const call = listPods();
    const failed = expect(call).rejects.toMatchObject({ code: 'KubernetesUnreachable', disposition: 'retry' });
    await vi.waitFor(() => expect(api.requests).toHaveLength(1));

    await clock.advance(5_000);

    await failed;
  });

  it('ends when its caller stops', async () => {
    api.onRequest = () => 'hang';
    const stop = new AbortController();
    const call = listPods(stop.signal);
    const failed = expect(call).rejects.toMatchObject({ status: undefined });
    await vi.waitFor(() => expect(api.requests).toHaveLength(1));

    stop.abort();

    await failed;
  });

  it('says what the API refused, and why', async () => {
    api.onRequest = () => 403;

    await expect(listPods()).rejects.toMatchObject({
      ...{ code: 'KubernetesRefused', status: 403, fields: { operation: 'list pods', status: 403 } },
      message: 'Kubernetes: list pods failed: a planned fault',
    });
  });

  it('works again on a new connection after one broke', async () => {
    await listPods();
    api.onRequest = () => 'cut';
    await expect(listPods()).rejects.toMatchObject({ code: 'KubernetesUnreachable' });
    api.onRequest = () => undefined;

    await listPods();

    expect(api.connections).toBeGreaterThan(1);
  });
});
