import { describe, expect, it } from 'vitest';
import { CONTROLLER_SETTINGS, readControllerSettings } from '../../../controller/config.ts';

describe("the controller's settings", () => {
  it('are the documented defaults when only the stream is given', () => {
    expect(readControllerSettings({ STREAM: 'logins' })).toMatchObject({
      ...{ stream: 'logins', tickMs: 1_000, listShardsMs: 30_000, leaseMarginMs: 1_000, leaseDurationMs: 10_000 },
      ...{ presencePollMs: 100, presenceGraceMs: 200, handoffDeadlineMs: 30_000, initialPosition: { kind: 'LATEST' } },
    });
  });

  it.each([
    ['TRIM_HORIZON', { kind: 'TRIM_HORIZON' }],
    ['2026-11-21T10:00:00Z', { kind: 'AT_TIMESTAMP', timestampMs: Date.UTC(2026, 10, 21, 10) }],
  ])('take %s for an initial position', (text, position) => {
    expect(readControllerSettings({ STREAM: 's', INITIAL_POSITION: text }).initialPosition).toEqual(position);
  });

  it('are refused together, each fault by the name of its variable', () => {
    const wrong = { STREAM: 'no stream!', TICK_MS: '1.5', INITIAL_POSITION: 'yesterday' };
    expect(() => readControllerSettings(wrong)).toThrow(/3 setting[\s\S]*STREAM[\s\S]*INITIAL_POSITION[\s\S]*TICK_MS/);
  });

  it.each([
    [{ LEADER_LEASE_MS: '3000', LEADER_RENEW_DEADLINE_MS: '3000' }, /LEADER_LEASE_MS/],
    [{ PRESENCE_GRACE_MS: '10000' }, /PRESENCE_GRACE_MS/],
    [{ HEARTBEAT_MS: '5000' }, /HEARTBEAT_MS/],
  ])('are refused when they contradict each other: %o', (environment, message) => {
    expect(() => readControllerSettings({ STREAM: 's', ...environment })).toThrow(message);
  });

  it('are those of Kubernetes where Kubernetes says so, unless they say no', () => {
    const inPod = {
      ...{ STREAM: 's', KUBERNETES_SERVICE_HOST: '10.0.0.1', POD_NAMESPACE: 'ns', WORKER_SELECTOR: 'app=w' },
      ...{ WORKER_DEPLOYMENT: 'workers', LEADER_LEASE_NAME: 'leader' },
    };
    expect(readControllerSettings(inPod)).toMatchObject({ kubernetesAccess: 'in-cluster', initialReplicas: undefined });
    expect(readControllerSettings({ ...inPod, INITIAL_REPLICAS: '0' }).initialReplicas).toBe(0);
    expect(readControllerSettings({ ...inPod, KUBERNETES: 'off' }).kubernetesAccess).toBeUndefined();
    const outside = { ...inPod, KUBERNETES_SERVICE_HOST: '' };
    expect(readControllerSettings(outside).kubernetesAccess).toBeUndefined();
    expect(readControllerSettings({ ...outside, KUBERNETES: 'on' }).kubernetesAccess).toBe('kubeconfig');
  });

  it('are refused in Kubernetes without what only the manifest knows, all of it named', () => {
    const environment = { STREAM: 's', KUBERNETES_SERVICE_HOST: '10.0.0.1', POD_NAMESPACE: 'ns' };
    expect(() => readControllerSettings(environment)).toThrow(
      /WORKER_DEPLOYMENT, WORKER_SELECTOR, LEADER_LEASE_NAME required.*KUBERNETES to off/,
    );
    expect(() => readControllerSettings({ STREAM: 's', INITIAL_REPLICAS: '-1' })).toThrow(/INITIAL_REPLICAS/);
  });

  it('name every variable once', () => {
    const variables = Object.values(CONTROLLER_SETTINGS).map((setting) => setting.variable);
    expect(new Set(variables).size).toBe(variables.length);
  });
});
