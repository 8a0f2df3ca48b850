/**
 * The controller as a process in Kubernetes: a real client against an API server of ours, leadership by a Lease, and
 * workers whose deaths only their pods tell (hints are off, and the sessions go on beating).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFleetStores, type FleetStores } from '../../../lease/dynamodb/fleet-stores.ts';
import { createWorkerIds } from '../../../lease/worker-id.ts';
import { WorkerSession } from '../../../lease/worker-session.ts';
import { Child } from '../../../local/child.ts';
import { freePort } from '../../../local/free-port.ts';
import { type LocalServers, startServers } from '../../../local/servers.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { FakeKubernetes } from '../../support/fake-kubernetes.ts';
import { ROOT } from '../../support/source-tree.ts';
import { podObject } from '../../unit/controller/kube/pod-builder.ts';

const FLEET = 'kubernetes-test';
const WAIT = { timeout: 20_000, interval: 5 };

let folder: string;
let api: FakeKubernetes;
let servers: LocalServers;
let stores: FleetStores;
let controller: Child;
let url: string;
const stop = new AbortController();

function startWorker(pod: string, uid: string): string {
  const id = createWorkerIds(pod, uid)();
  const session = new WorkerSession({
    ...{ store: stores.workers, clock, logger: silentLogger, heartbeatMs: 1_000, leaseDurationMs: 10_000 },
    newId: () => id,
    status: () => ({ state: 'active', load: { leases: 0, bytesPerSecond: 0 } }),
    listener: {
      onRegistered: () => undefined,
      onOrders: () => undefined,
      onSelfFenced: () => undefined,
      onDrainWritten: () => undefined,
      onGone: () => undefined,
    },
  });
  void session.run(stop.signal);
  return id;
}

async function owners(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { owner, checkpointOwner } of await stores.leases.readAll()) {
    const shown = checkpointOwner === undefined ? (owner ?? 'free') : `${checkpointOwner}>${owner}`;
    counts[shown] = (counts[shown] ?? 0) + 1;
  }
  return counts;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  api = await FakeKubernetes.start();
  servers = await startServers(clock);
  const endpoint = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  stores = createFleetStores({ ...endpoint, tableName: FLEET, clock, endpoint: servers.dynamoDbUrl });
  const requestHandler = new NodeHttpHandler();
  const kinesis = new KinesisClient({ ...endpoint, endpoint: servers.kinesisUrl, requestHandler });
  await kinesis.send(new CreateStreamCommand({ StreamName: 'logins', ShardCount: 4 }));
  kinesis.destroy();
  const named = (name: string, value: object): object => ({ name, ...value });
  const kubeconfig = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [named('c', { cluster: { server: api.url, 'insecure-skip-tls-verify': true } })],
    users: [named('u', { user: {} })],
    contexts: [named('test', { context: { cluster: 'c', user: 'u' } })],
  };
  writeFileSync(join(folder, 'config'), JSON.stringify(kubeconfig));
});

afterAll(async () => {
  stop.abort();
  await controller?.stop(2_000);
  stores.close();
  await servers.stop();
  await api.stop();
  rmSync(folder, { recursive: true });
});

describe('the controller process in Kubernetes', () => {
  it('leads by a Lease, scales at the first start, and acts on what the pods tell', async () => {
    api.put('deployments/workers', { metadata: { name: 'workers', uid: 'd1' }, spec: { replicas: 1 } });
    for (const n of [1, 2, 3]) api.put(`pods/w-${n}`, podObject({ name: `w-${n}`, uid: `u${n}` }));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    controller = new Child({
      ...{ name: 'controller', command: process.execPath, args: [`${ROOT}/controller/main.ts`], clock },
      env: {
        ...servers.env,
        ...{ STREAM: 'logins', FLEET, HTTP_PORT: String(port), INITIAL_POSITION: 'TRIM_HORIZON', SIGNALS: 'off' },
        ...{ KUBERNETES: 'on', KUBECONFIG: join(folder, 'config'), POD_NAME: 'controller-1', POD_NAMESPACE: 'ns' },
        ...{ WORKER_DEPLOYMENT: 'workers', WORKER_SELECTOR: 'app=worker', LEADER_LEASE_NAME: 'leader' },
        INITIAL_REPLICAS: '3',
      },
    });
    await vi.waitFor(() => expect(api.get('deployments/workers')?.spec).toEqual({ replicas: 3 }), WAIT);
    expect(api.get('leases/leader')?.spec).toMatchObject({
      holderIdentity: expect.stringMatching(/^controller-1_/),
      leaseDurationSeconds: 15,
    });
    await vi.waitFor(async () => expect((await stores.fleet.readFleet())?.scaledDeploymentUid).toBe('d1'), WAIT);

    // One after the other: a tick between two that come together would give the first one everything.
    const first = startWorker('w-1', 'u1');
    await vi.waitFor(async () => expect(await owners()).toEqual({ [first]: 4 }), WAIT);
    const second = startWorker('w-2', 'u2');
    await vi.waitFor(async () => expect(await owners()).toEqual({ [first]: 2, [`${first}>${second}`]: 2 }), WAIT);
    await vi.waitFor(async () => {
      expect(await (await fetch(`${url}/metrics`)).text()).toContain('workers{state="active"} 2');
    }, WAIT);

    let startedMs = clock.monotonicMs();
    api.put('pods/w-1', podObject({ name: 'w-1', uid: 'u1', state: 'terminated' }));
    await vi.waitFor(async () => expect(await owners()).toEqual({ [second]: 4 }), WAIT);
    const failoverMs = clock.monotonicMs() - startedMs;

    const third = startWorker('w-3', 'u3');
    await vi.waitFor(async () => expect(await owners()).toEqual({ [second]: 2, [`${second}>${third}`]: 2 }), WAIT);
    startedMs = clock.monotonicMs();
    api.put('pods/w-2', podObject({ name: 'w-2', uid: 'u2', isLeaving: true }));
    await vi.waitFor(async () => expect(await owners()).toEqual({ [`${second}>${third}`]: 4 }), WAIT);
    const drainMs = clock.monotonicMs() - startedMs;
    process.stdout.write(`leases left a terminated container in ${failoverMs} ms, a leaving pod in ${drainMs} ms\n`);
    expect(failoverMs).toBeLessThan(900);
    expect(drainMs).toBeLessThan(900);

    const said = await (await fetch(`${url}/metrics`)).text();
    expect(said).toContain('kinesis_fleet_takeovers_total{reason="pod"} 2');
    await vi.waitFor(() => expect(api.count('events')).toBe(1), WAIT);
    expect(await controller.stop(5_000)).toBe(0);
    expect(api.get('leases/leader')?.spec).toMatchObject({ holderIdentity: '', leaseTransitions: 0 });
  });
});
