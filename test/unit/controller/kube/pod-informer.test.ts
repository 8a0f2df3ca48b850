import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KubeClient } from '../../../../controller/kube/kube-client.ts';
import { PodInformer } from '../../../../controller/kube/pod-informer.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeKubernetes } from '../../../support/fake-kubernetes.ts';
import { accessTo } from './kube-access.ts';
import { podObject } from './pod-builder.ts';

let api: FakeKubernetes;
let clock: FakeClock;
let stop: AbortController;
let log: string[];
let troubles: unknown[];
let handle: (line: string) => void;
let running: Promise<void>;

beforeEach(async () => {
  api = await FakeKubernetes.start();
  clock = new FakeClock();
  stop = new AbortController();
  log = [];
  troubles = [];
  handle = () => undefined;
});
afterEach(async () => {
  stop.abort();
  await running;
  await api.stop();
});

function start(): void {
  const say = (line: string): void => {
    log.push(line);
    handle(line);
  };
  const informer = new PodInformer({
    ...{ client: new KubeClient(accessTo(api), clock), clock, namespace: 'ns', labelSelector: 'app=worker' },
    handlers: {
      onListed: (pods) => say(`listed ${pods.map((pod) => pod.metadata?.name).join(' ')}`.trim()),
      onChanged: (pod) => say(`changed ${pod.metadata?.name} ${pod.metadata?.uid}`),
      onDeleted: (pod) => say(`deleted ${pod.metadata?.name} ${pod.metadata?.uid}`),
      onTrouble: (error) => troubles.push(error),
      onFine: () => undefined,
    },
  });
  running = informer.run(stop.signal);
}

/** Lets answers arrive, and turns the clock so that pauses pass, until it is as expected. */
function eventually(expectation: () => void): Promise<void> {
  return vi.waitFor(
    async () => {
      await clock.advance(1_000);
      expectation();
    },
    { interval: 5, timeout: 8_000 },
  );
}

const watching = (): void => expect(api.watching()).toBe(1);
const lists = (): number => api.requests.filter((request) => request.query.get('watch') !== 'true').length;

describe('the informer', () => {
  it('lists, and then reports every change in order', async () => {
    api.put('pods/w-1', podObject());
    start();
    await eventually(watching);
    api.put('pods/w-1', podObject({ state: 'terminated' }));
    api.put('pods/w-2', podObject({ name: 'w-2', uid: 'u2' }));
    api.delete('pods/w-1');

    await eventually(() => expect(log).toHaveLength(4));

    expect(log).toEqual(['listed w-1', 'changed w-1 u1', 'changed w-2 u2', 'deleted w-1 u1']);
    expect(api.requests.map((request) => request.query.get('labelSelector'))).toEqual(['app=worker', 'app=worker']);
    expect(troubles).toEqual([]);
  });

  it('takes up an ended watch where it ended, without a new list, and misses nothing in between', async () => {
    start();
    await eventually(watching);
    api.put('pods/w-1', podObject());
    await eventually(() => expect(log).toContain('changed w-1 u1'));
    api.endWatches('end');
    api.put('pods/w-2', podObject({ name: 'w-2', uid: 'u2' }));

    await eventually(() => expect(log).toContain('changed w-2 u2'));

    expect(log).toEqual(['listed', 'changed w-1 u1', 'changed w-2 u2']);
    expect(lists()).toBe(1);
  });

  it('lists anew when its watch is cut, refused, or told that its version is too old', async () => {
    start();
    await eventually(watching);
    api.endWatches('cut');
    await eventually(() => expect(lists()).toBe(2));
    await eventually(watching);
    api.sendToWatches(JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old' } }));
    await eventually(() => expect(lists()).toBe(3));
    await eventually(watching);
    api.onRequest = (request) => (request.query.get('watch') === 'true' ? 403 : undefined);
    api.endWatches('end');
    await eventually(() => expect(lists()).toBeGreaterThan(4));
    api.onRequest = () => undefined;

    await eventually(watching);

    expect(troubles.length).toBeGreaterThanOrEqual(2);
    expect(troubles).toContainEqual(expect.objectContaining({ status: 403 }));
    expect(troubles).not.toContainEqual(expect.objectContaining({ status: 410 }));
  });

  it('goes on after lists that fail or hang, and pauses between them', async () => {
    const faults = [500, 'cut', 'hang'] as const;
    api.onRequest = () => faults[api.requests.length - 1];
    start();

    await eventually(watching);

    expect(troubles).toHaveLength(3);
    expect(log).toEqual(['listed']);
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(5_000);
  });

  it('survives a handler that throws, and nonsense on the wire', async () => {
    start();
    await eventually(watching);
    api.sendToWatches('{"no json');
    handle = (line) => {
      if (line.startsWith('changed')) throw new Error('a bug in a handler');
    };
    api.put('pods/w-1', podObject());
    await eventually(() => expect(troubles).toHaveLength(1));
    handle = () => undefined;

    await eventually(() => expect(log).toContain('listed w-1'));
  });

  it('ends with its signal, during a list as during a watch, and hears nothing after that', async () => {
    start();
    await eventually(watching);
    stop.abort();
    await running;
    api.put('pods/w-1', podObject());
    await vi.waitFor(() => expect(api.watching()).toBe(0));
    expect(log).toEqual(['listed']);

    stop = new AbortController();
    api.onRequest = () => 'hang';
    const before = api.requests.length;
    start();
    await vi.waitFor(() => expect(api.requests.length).toBe(before + 1));
    stop.abort();
    await running;
    expect(log).toEqual(['listed']);
  });
});
