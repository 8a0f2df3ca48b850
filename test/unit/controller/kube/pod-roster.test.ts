import { describe, expect, it } from 'vitest';
import { PodRoster } from '../../../../controller/kube/pod-roster.ts';
import { type WorkerPod, workerPodOf } from '../../../../controller/kube/worker-pod.ts';
import { createWorkerIds } from '../../../../lease/worker-id.ts';
import { type PodShape, pod } from './pod-builder.ts';

const newId = createWorkerIds('w-1', 'u1');

function seen(shape: PodShape = {}): WorkerPod {
  return workerPodOf(pod(shape)) as WorkerPod;
}

function rosterWith(...shapes: PodShape[]): PodRoster {
  const roster = new PodRoster();
  roster.replaceAll(shapes.map(seen));
  return roster;
}

describe('a worker whose pod runs', () => {
  it('is not spoken of, and neither is a worker of no pod', () => {
    const roster = rosterWith({});
    expect(roster.judge([newId(), 'laptop-abcdef'], 0).size).toBe(0);
  });

  it('is not taken for dead because its pod is not ready, or its container status is not there yet', () => {
    const roster = rosterWith({});
    const id = newId();
    roster.judge([id], 0);
    expect(roster.put(seen({ isReady: false }))).toBe(false);
    roster.put(seen({ state: 'creating' }));
    expect(roster.judge([id], 1).size).toBe(0);
  });

  it.each<[string, PodShape]>([
    ['its container terminated', { state: 'terminated' }],
    ['its container waits to be started again', { state: 'back-off' }],
    ['its container was started again in place', { restarts: 1 }],
    ['its pod failed, or was evicted', { phase: 'Failed' }],
    ['its pod succeeded', { phase: 'Succeeded' }],
  ])('has ended when %s', (_, shape) => {
    const roster = rosterWith({});
    const id = newId();
    roster.judge([id], 0);
    expect(roster.put(seen(shape))).toBe(true);
    expect(roster.judge([id], 1)).toEqual(new Map([[id, 'ended']]));
  });

  it('is leaving from the moment its pod has a deletion timestamp', () => {
    const roster = rosterWith({});
    const id = newId();
    expect(roster.put(seen({ isLeaving: true }))).toBe(true);
    expect(roster.put(seen({ isLeaving: true, isReady: false }))).toBe(false);
    expect(roster.judge([id], 1)).toEqual(new Map([[id, 'leaving']]));
  });

  it('has ended when its pod was deleted, also when only a new list tells', () => {
    const deleted = rosterWith({});
    deleted.remove(seen());
    const missing = rosterWith({});
    expect(missing.replaceAll([])).toBe(true);
    const id = newId();
    expect(deleted.judge([id], 0)).toEqual(new Map([[id, 'ended']]));
    expect(missing.judge([id], 0)).toEqual(new Map([[id, 'ended']]));
  });

  it('is not the worker of a pod of the same name with another UID', () => {
    const roster = rosterWith({});
    const id = newId();
    roster.judge([id], 0);
    roster.put(seen({ uid: 'u2', state: 'terminated' }));
    expect(roster.judge([id], 1).size).toBe(0);
    roster.remove(seen({ uid: 'u2' }));
    expect(roster.judge([id], 2).size).toBe(0);
  });
});

describe('a worker that was started in place of another', () => {
  it('is not taken for the dead one, whichever is seen first: the restart or the new worker', () => {
    for (const isNewSeenFirst of [true, false]) {
      const roster = rosterWith({});
      const [old, young] = [newId(), newId()];
      roster.judge([old], 0);
      if (isNewSeenFirst) roster.judge([old, young], 500);
      roster.put(seen({ state: 'terminated' }));
      expect(roster.judge([old, young], 600)).toEqual(new Map([[old, 'ended']]));
      roster.put(seen({ restarts: 1 }));
      expect(roster.judge([old, young], 700)).toEqual(new Map([[old, 'ended']]));
      roster.put(seen({ restarts: 1, state: 'terminated' }));
      expect(roster.judge([young], 800)).toEqual(new Map([[young, 'ended']]));
    }
  });

  it('is not taken for the dead one that was forgotten before kubelet reported its death', () => {
    const roster = rosterWith({});
    const [old, young] = [newId(), newId()];
    roster.judge([old], 0);
    roster.judge([], 400);
    roster.judge([young], 1_500);
    roster.put(seen({ restarts: 1 }));
    expect(roster.judge([young], 1_600).size).toBe(0);
  });

  it('is bound to the running container after some seconds when it registered anew within it', () => {
    const roster = rosterWith({});
    const [before, after] = [newId(), newId()];
    roster.judge([before], 0);
    roster.judge([before, after], 1_000);
    roster.judge([after], 6_100);
    roster.put(seen({ restarts: 1 }));
    expect(roster.judge([after], 6_200)).toEqual(new Map([[after, 'ended']]));
  });

  it('is left to heartbeat and presence when the restart came before it could be bound', () => {
    const roster = rosterWith({});
    const [before, after] = [newId(), newId()];
    roster.judge([before], 0);
    roster.judge([before, after], 1_000);
    roster.put(seen({ restarts: 1 }));
    expect(roster.judge([after], 1_100).size).toBe(0);
  });
});

describe('where a worker runs', () => {
  const template = (hash: string): Readonly<Record<string, string>> => ({ 'pod-template-hash': hash });

  it('is not known of a worker without a pod', () => {
    expect(rosterWith({}).placeOf('laptop-abcdef')).toBeUndefined();
  });

  it('is the zone that its own pod is labelled with', () => {
    const roster = rosterWith({ labels: { 'topology.kubernetes.io/zone': 'eu-1a' } });
    expect(roster.placeOf(newId())).toEqual({ zone: 'eu-1a', isUnready: false, isOutdated: false });
    expect(rosterWith({}).placeOf(newId())?.zone).toBeUndefined();
  });

  it('is unready once its pod was ready and is no more, not before', () => {
    const roster = rosterWith({ isReady: false });
    expect(roster.placeOf(newId())?.isUnready).toBe(false);
    roster.put(seen({ isReady: true }));
    expect(roster.placeOf(newId())?.isUnready).toBe(false);
    roster.put(seen({ isReady: false }));
    expect(roster.placeOf(newId())?.isUnready).toBe(true);
  });

  it('is outdated while a pod of another template is the newest', () => {
    const old = createWorkerIds('w-0', 'u0')();
    const roster = rosterWith(
      { name: 'w-0', uid: 'u0', labels: template('a'), createdAt: '2026-11-21T10:00:00Z' },
      { labels: template('a'), createdAt: '2026-11-21T10:00:09Z' },
    );
    expect(roster.placeOf(old)?.isOutdated).toBe(false);
    const newer = { name: 'w-2', uid: 'u2', labels: template('b'), createdAt: '2026-11-21T10:05:00Z' };
    roster.put(seen(newer));
    expect([old, newId()].map((id) => roster.placeOf(id)?.isOutdated)).toEqual([true, true]);
    expect(roster.placeOf(createWorkerIds('w-2', 'u2')())?.isOutdated).toBe(false);
    roster.remove(seen(newer));
    expect(roster.placeOf(old)?.isOutdated).toBe(false);
  });

  it('knows the newest pod whether a list or a watch brought it', () => {
    const listed = pod({ labels: template('a'), createdAt: '2026-11-21T10:00:00Z' });
    listed.metadata!.creationTimestamp = new Date('2026-11-21T10:00:00Z');
    const roster = new PodRoster();
    roster.replaceAll([workerPodOf(listed)!]);
    roster.put(seen({ name: 'w-2', uid: 'u2', labels: template('b'), createdAt: '2026-11-21T10:00:01Z' }));
    expect(roster.placeOf(newId())?.isOutdated).toBe(true);
  });
});
