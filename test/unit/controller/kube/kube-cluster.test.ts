/** The chores of a cluster through the real client: the initial scale, deletion costs, events; and what the pods say. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClusterTerm } from '../../../../controller/cluster.ts';
import type { FleetView, FleetWorker } from '../../../../controller/fleet-view.ts';
import { KubeClient } from '../../../../controller/kube/kube-client.ts';
import { KubeCluster } from '../../../../controller/kube/kube-cluster.ts';
import { LeaseCache } from '../../../../controller/lease-cache.ts';
import type { Lease } from '../../../../lease/lease.ts';
import { createWorkerIds } from '../../../../lease/worker-id.ts';
import { silentLogger } from '../../../../runtime/logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeKubernetes, type SeenRequest } from '../../../support/fake-kubernetes.ts';
import { FakeLeaseStore } from '../../../support/fake-lease-store.ts';
import { FakeWorkerStore } from '../../../support/fake-worker-store.ts';
import { buildLease } from '../../../support/lease-builder.ts';
import { accessTo } from './kube-access.ts';
import { podObject } from './pod-builder.ts';

const FLEET = {
  streamArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/logins',
  ...{ streamCreationEpochSeconds: 7, schemaVersion: 1, hashSeed: 'ab'.repeat(16) },
};

let api: FakeKubernetes;
let clock: FakeClock;
let store: FakeWorkerStore;
let view: FleetView;
let leaseRows: Map<string, Lease>;
let mayAct: boolean;
let term: ClusterTerm;
let stop: AbortController;
let running: Promise<void>;
let news: number;
let reachable: boolean[];

beforeEach(async () => {
  api = await FakeKubernetes.start();
  clock = new FakeClock();
  store = new FakeWorkerStore();
  leaseRows = new Map();
  const leases = new LeaseCache({ store: new FakeLeaseStore(leaseRows), onLost: () => undefined });
  view = {
    leases,
    fleet: await store.createFleet(FLEET),
    workers: new Map<string, FleetWorker>(),
    listing: undefined,
    hashRangeHoles: undefined,
  };
  mayAct = true;
  news = 0;
  reachable = [];
  stop = new AbortController();
  running = Promise.resolve();
});
afterEach(async () => {
  stop.abort();
  await running;
  await api.stop();
});

async function start(initialReplicas?: number): Promise<void> {
  await view.leases.scan();
  const cluster = new KubeCluster({
    ...{ clock, initialReplicas, logger: silentLogger, fleet: store, namespace: 'ns', podName: 'controller-1' },
    ...{ client: new KubeClient(accessTo(api), clock), workerSelector: 'app=worker', workerDeployment: 'workers' },
  });
  term = cluster.begin({
    view,
    onNews: () => news++,
    mayAct: () => mayAct,
    onError: () => undefined,
    onReachable: (isReachable) => reachable.push(isReachable),
  });
  running = term.run(stop.signal);
  await eventually(() => expect(api.watching()).toBe(1));
}

function eventually(expectation: () => void): Promise<void> {
  return vi.waitFor(
    async () => {
      await clock.advance(500);
      expectation();
    },
    { interval: 5, timeout: 8_000 },
  );
}

/** As long as it takes for everything that is due to be asked for and answered. */
async function turnClock(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

function deployment(replicas: number, uid = 'd1'): void {
  api.put('deployments/workers', { metadata: { name: 'workers', uid }, spec: { replicas } });
}

function lease(shardId: string, owner?: string): void {
  const key = `123456789012:logins:7:${shardId}`;
  leaseRows.set(key, buildLease({ key, shardId, ...(owner === undefined ? {} : { owner }) }));
}

const patches = (sub: string): SeenRequest[] =>
  api.requests.filter((request) => request.method === 'PATCH' && request.path.endsWith(sub));
const replicas = (): unknown => (api.get('deployments/workers')?.spec as { replicas?: number } | undefined)?.replicas;

const repeats = (): SeenRequest[] =>
  api.requests.filter(({ method, path }) => method === 'PATCH' && path.includes('/events/'));

describe('the initial scale', () => {
  it('is given once to a Deployment at its first start, and remembered', async () => {
    deployment(1);
    await start(4);
    await eventually(() => expect(replicas()).toBe(4));
    await eventually(() => expect(store.rows.fleet?.scaledDeploymentUid).toBe('d1'));
    deployment(1);

    await turnClock(62_000);

    expect(replicas()).toBe(1);
    expect(patches('/scale')).toHaveLength(1);
  });

  it('is given again to a Deployment that was made anew', async () => {
    await store.rememberScaled('d1');
    deployment(1, 'd2');
    await start(3);
    await eventually(() => expect(replicas()).toBe(3));
    await eventually(() => expect(store.rows.fleet?.scaledDeploymentUid).toBe('d2'));
  });

  it('is not given to a Deployment that somebody has scaled before, which also ends an interrupted attempt', async () => {
    deployment(7);
    await start(4);
    await eventually(() => expect(store.rows.fleet?.scaledDeploymentUid).toBe('d1'));
    expect(patches('/scale')).toEqual([]);
  });

  it('is tried again when the Deployment changed meanwhile, or was missing', async () => {
    let conflicts = 0;
    api.onRequest = (request) => (request.path.endsWith('/scale') && conflicts++ === 0 ? 409 : undefined);
    await start(4);
    await turnClock(2_000);
    deployment(1);
    await eventually(() => expect(replicas()).toBe(4));
    expect(conflicts).toBe(2);
  });

  it('is left alone without a setting, and while nothing may be changed', async () => {
    deployment(1);
    mayAct = false;
    await start(4);
    await turnClock(3_000);
    expect(replicas()).toBe(1);
    expect(store.rows.fleet?.scaledDeploymentUid).toBeUndefined();
  });
});

describe('deletion costs', () => {
  it('follow the leases through the status of the pods, and rest while their order is right', async () => {
    for (const [shard, owner] of [
      ['a', 'w-1-u1-00'],
      ['b', 'w-1-u1-00'],
      ['c', 'w-2-u2-00'],
    ] as const) {
      lease(shard, owner);
    }
    api.put('pods/w-1', podObject());
    api.put('pods/w-2', podObject({ name: 'w-2', uid: 'u2' }));
    api.put('pods/w-3', podObject({ name: 'w-3', uid: 'u3', isLeaving: true }));
    await start();
    await eventually(() => expect(patches('/status')).toHaveLength(2));

    await turnClock(12_000);

    const cost = 'controller.kubernetes.io/pod-deletion-cost';
    expect(api.get('pods/w-1')?.metadata.annotations).toEqual({ [cost]: '2' });
    expect(api.get('pods/w-2')?.metadata.annotations).toEqual({ [cost]: '1' });
    expect(patches('/status')).toHaveLength(2);
    expect(new Set(patches('/status').map((request) => request.body.metadata.uid))).toEqual(new Set(['u1', 'u2']));
  });
});

describe('deletion costs of a pod that was replaced', () => {
  it('are not written on the pod that has its name now, and those of the others are', async () => {
    lease('a', 'w-1-u1-00');
    lease('b', 'w-2-u2-00');
    lease('c', 'w-2-u2-00');
    api.put('pods/w-1', podObject());
    api.put('pods/w-2', podObject({ name: 'w-2', uid: 'u2' }));
    // The watch has not told it yet when the write arrives.
    api.onRequest = ({ path }) => (path.endsWith('/w-1/status') ? 422 : undefined);
    await start();
    // A refused one may be sent again meanwhile.
    await eventually(() => expect(patches('/w-1/status')).not.toEqual([]));
    await eventually(() => expect(api.get('pods/w-2')?.metadata.annotations).toBeDefined());
    expect(api.get('pods/w-1')?.metadata.annotations).toBeUndefined();
  });
});

describe('events on the Deployment', () => {
  it('tell of lost leases at once, and then seldom, as one whose count grows', async () => {
    deployment(2);
    await start();
    for (let i = 0; i < 3; i++) term.tookLease('w-1-u1-00', 'pod');
    await eventually(() => expect(api.count('events')).toBe(1));
    for (let i = 0; i < 40; i++) {
      term.tookLease(`w-${i}`, 'presence');
      await turnClock(500);
    }
    expect(repeats()).toEqual([]);

    await turnClock(12_000);

    const [created] = api.requests.filter((request) => request.method === 'POST');
    expect(created?.body).toMatchObject({
      involvedObject: { kind: 'Deployment', name: 'workers', uid: 'd1' },
      ...{ type: 'Warning', reason: 'LeasesLost', count: 1, reportingInstance: 'controller-1' },
      message: 'leases taken from workers that died: 3 of w-1-u1-00 (pod)',
    });
    expect(repeats().map((request) => request.body)).toEqual([
      expect.objectContaining({ count: 2, message: expect.stringContaining('37 more') }),
    ]);
  });

  it('tell of shards without an owner for a minute, and of none that found one', async () => {
    deployment(2);
    lease('a');
    lease('b');
    await start();
    await turnClock(40_000);
    lease('b', 'w-1-u1-00');
    await view.leases.scan();
    await turnClock(30_000);

    const events = api.requests.filter((request) => request.method === 'POST').map((request) => request.body);
    expect(events).toEqual([
      expect.objectContaining({
        reason: 'ShardsStalled',
        message: 'shards without a worker for a minute or longer: a',
      }),
    ]);
  });

  it('are tried again with everything that was not told', async () => {
    deployment(2);
    await start();
    let refusals = 0;
    api.onRequest = (request) => (request.method === 'POST' && refusals++ === 0 ? 500 : undefined);
    term.tookLease('w-1', 'heartbeat');
    await eventually(() => expect(refusals).toBe(1));
    term.tookLease('w-1', 'heartbeat');

    await eventually(() => expect(api.count('events')).toBe(1));

    expect(api.requests.at(-1)?.body.message).toContain('2 of w-1');
  });
});

describe('what the pods say', () => {
  it('is news at once, and a verdict on their workers', async () => {
    api.put('pods/w-1', podObject());
    const id = createWorkerIds('w-1', 'u1')();
    await start();
    expect(term.judge([id]).size).toBe(0);

    api.put('pods/w-1', podObject({ isLeaving: true }));
    await vi.waitFor(() => expect(news).toBe(1));
    expect(term.judge([id])).toEqual(new Map([[id, 'leaving']]));

    api.put('pods/w-1', podObject({ isLeaving: true, state: 'terminated' }));
    await vi.waitFor(() => expect(news).toBe(2));
    expect(term.judge([id])).toEqual(new Map([[id, 'ended']]));
  });

  it('is said to be missing while the API does not answer, once, and kept meanwhile', async () => {
    api.put('pods/w-1', podObject({ phase: 'Failed' }));
    const id = createWorkerIds('w-1', 'u1')();
    await start();
    api.onRequest = () => 503;
    api.endWatches('cut');
    await eventually(() => expect(reachable).toEqual([true, false]));
    await turnClock(5_000);
    expect(term.judge([id])).toEqual(new Map([[id, 'ended']]));
    api.onRequest = () => undefined;

    await eventually(() => expect(reachable).toEqual([true, false, true]));
  });
});
