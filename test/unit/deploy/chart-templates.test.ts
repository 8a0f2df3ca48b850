/** What the chart renders, by Helm itself. Skipped, and said so, where there is no helm. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONTROLLER_SETTINGS } from '../../../controller/config.ts';
import { WORKER_SETTINGS } from '../../../worker/config.ts';
import { CHART } from '../../support/chart-values.ts';
import { hasHelm, type Manifest, refusal, render } from '../../support/helm.ts';

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string }[];
  readonly securityContext: unknown;
}

interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly serviceAccountName?: string;
  readonly securityContext: unknown;
  readonly containers: readonly Container[];
}

interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}

const TIMEOUT_MS = 20_000;
const STREAM = ['--set', 'stream=logins'];
const ci = readdirSync(join(CHART, 'ci'));
const withFile = (name: string): string[] => ['--values', join(CHART, 'ci', name)];

function find(manifests: readonly Manifest[], kind: string, name: RegExp): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && name.test(manifest.metadata.name));
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
}

const specOf = <T = Record<string, unknown>>(manifest: Manifest): T => manifest.spec as T;
const templateOf = (manifest: Manifest): PodTemplate => specOf<{ template: PodTemplate }>(manifest).template;
const dataOf = (manifest: Manifest): Record<string, string> => manifest.data as Record<string, string>;

function podSpecs(manifests: readonly Manifest[]): PodSpec[] {
  return manifests.flatMap((manifest) => {
    if (['Deployment', 'StatefulSet'].includes(manifest.kind)) return [templateOf(manifest).spec];
    return manifest.kind === 'Pod' ? [specOf<PodSpec>(manifest)] : [];
  });
}

if (!hasHelm) console.warn('no helm on PATH: what the chart renders is not tested here');

describe.skipIf(!hasHelm)('the chart, rendered', { timeout: TIMEOUT_MS }, () => {
  it.each(ci)('never has replicas in the worker manifest, and meets the restricted standard, with ci/%s', (file) => {
    const manifests = render(withFile(file));
    expect(specOf(find(manifests, 'Deployment', /-worker$/))).not.toHaveProperty('replicas');
    const pods = podSpecs(manifests);
    expect(pods.length).toBeGreaterThan(2);
    for (const pod of pods) {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      const own = pod.containers.filter(({ name }) => name !== 'sidecar');
      for (const { securityContext } of own) {
        expect(securityContext).toEqual({
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        });
      }
    }
  });

  it.each(ci)('gives both processes only variables that they have, with ci/%s', (file) => {
    const manifests = render(withFile(file));
    for (const [name, declared] of Object.entries({ controller: CONTROLLER_SETTINGS, worker: WORKER_SETTINGS })) {
      const known = new Set(['POD_UID', 'NODE_OPTIONS', ...Object.values(declared).map(({ variable }) => variable)]);
      const config = dataOf(find(manifests, 'ConfigMap', new RegExp(`-${name}$`)));
      const { containers } = templateOf(find(manifests, 'Deployment', new RegExp(`-${name}$`))).spec;
      const given = [...Object.keys(config), ...(containers[0]?.env ?? []).map((variable) => variable.name)];
      expect(given.filter((variable) => !known.has(variable) && !variable.startsWith('AWS_'))).toEqual([]);
    }
  });

  it('mounts a token in the controller alone, whose Role is exactly this, and has nothing cluster-wide', () => {
    const manifests = render(STREAM);
    const mounting = podSpecs(manifests).filter((pod) => pod.automountServiceAccountToken !== false);
    const rules = find(manifests, 'Role', /-controller$/).rules;
    const only = (name: string): { resourceNames: string[] } => ({ resourceNames: [`kf-kinesis-fleet-${name}`] });
    expect(mounting.map((pod) => pod.serviceAccountName)).toEqual(['kf-kinesis-fleet-controller']);
    expect(rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
      { apiGroups: ['apps'], resources: ['deployments'], ...only('worker'), verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['apps'], resources: ['deployments/scale'], ...only('worker'), verbs: ['patch'] },
      { apiGroups: ['apps'], resources: ['deployments'], ...only('controller'), verbs: ['get'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], ...only('controller'), verbs: ['get', 'update'] },
    ]);
    expect(manifests.filter(({ kind }) => kind.startsWith('Cluster'))).toEqual([]);
  });

  it('names to the controller its own Deployment, which its Lease belongs to', () => {
    const manifests = render(STREAM);
    const { CONTROLLER_DEPLOYMENT } = dataOf(find(manifests, 'ConfigMap', /-controller$/));
    expect(CONTROLLER_DEPLOYMENT).toBe(find(manifests, 'Deployment', /-controller$/).metadata.name);
  });

  it('leaves no pod of a helm test, for Helm forgets it in an uninstall; the log is printed before', () => {
    const test = find(render(STREAM), 'Pod', /-test$/) as Manifest & { metadata: PodTemplate['metadata'] };
    expect(test.metadata.annotations).toMatchObject({
      'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded,hook-failed',
      'helm.sh/hook-output-log-policy': 'hook-failed',
    });
  });

  it('leaves the scale alone when initialReplicas is null: no variable, no right', () => {
    const manifests = render([...STREAM, '--set', 'worker.initialReplicas=null']);
    const rules = find(manifests, 'Role', /-controller$/).rules as readonly { resources: string[] }[];
    expect(dataOf(find(manifests, 'ConfigMap', /-controller$/)).INITIAL_REPLICAS).toBe('');
    expect(rules.flatMap(({ resources }) => resources)).not.toContain('deployments/scale');
  });

  it('names the worker pods to the controller by the labels that they really have', () => {
    const manifests = render(STREAM);
    const { WORKER_SELECTOR, WORKER_DEPLOYMENT } = dataOf(find(manifests, 'ConfigMap', /-controller$/));
    const worker = find(manifests, 'Deployment', /-worker$/);
    const wanted = Object.fromEntries((WORKER_SELECTOR ?? '').split(',').map((pair) => pair.split('=')));
    expect(WORKER_DEPLOYMENT).toBe(worker.metadata.name);
    expect(templateOf(worker).metadata.labels).toEqual(wanted);
  });

  it('replaces the pods whose settings changed, and no others', () => {
    const before = render(STREAM);
    const after = render([...STREAM, '--set', 'worker.settings.BUFFER_MS=100']);
    const checksum = (manifests: readonly Manifest[], name: RegExp): string | undefined =>
      templateOf(find(manifests, 'Deployment', name)).metadata.annotations['checksum/config'];
    expect(checksum(after, /-worker$/)).not.toBe(checksum(before, /-worker$/));
    expect(checksum(after, /-controller$/)).toBe(checksum(before, /-controller$/));
  });

  it('takes images by registry, tag and digest', () => {
    const digest = `sha256:${'0a'.repeat(32)}`;
    const image = (...args: string[]): string | undefined =>
      templateOf(find(render([...STREAM, ...args]), 'Deployment', /-worker$/)).spec.containers[0]?.image;
    expect(image()).toMatch(/^kinesis-fleet:\d+\.\d+\.\d+$/);
    expect(image('--set', 'global.imageRegistry=r.example,image.tag=x')).toBe('r.example/kinesis-fleet:x');
    expect(image('--set', `image.registry=own.example,image.digest=${digest}`)).toBe(
      `own.example/kinesis-fleet@${digest}`,
    );
  });

  it('scrapes pods that are not ready too, by at most one monitor', () => {
    const manifests = render([...STREAM, '--set', 'metrics.podMonitor.enabled=true']);
    const services = manifests.filter(({ kind, metadata }) => kind === 'Service' && metadata.name.endsWith('-metrics'));
    expect(services.map((service) => specOf(service))).toMatchObject([
      { clusterIP: 'None', publishNotReadyAddresses: true },
      { clusterIP: 'None', publishNotReadyAddresses: true },
    ]);
    expect(manifests.filter(({ kind }) => kind.endsWith('Monitor')).map(({ kind }) => kind)).toEqual(['PodMonitor']);
  });

  it('lets names and its own Redis be reached under whatever egress it is given', () => {
    const values = ['--set', 'networkPolicy.enabled=true,networkPolicy.egress[0].ports[0].port=443'];
    const policy = find(render([...STREAM, ...values]), 'NetworkPolicy', /-worker$/);
    const { egress } = specOf<{ egress: { ports: { port: number; protocol?: string }[] }[] }>(policy);
    const ports = egress.flatMap((rule) => rule.ports.map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`));
    expect(ports).toEqual(['443/TCP', '53/UDP', '53/TCP', '6379/TCP']);
  });

  it('keeps its own labels where common ones have the same names, each once', () => {
    const labels = ['app\\.kubernetes\\.io/name=mine', 'app\\.kubernetes\\.io/part-of=platform'];
    const manifests = render([...STREAM, ...labels.flatMap((label) => ['--set', `commonLabels.${label}`])]);
    for (const { metadata } of manifests.filter(({ kind }) => kind !== 'Pod')) {
      expect(metadata.labels).toMatchObject({
        ...{ 'app.kubernetes.io/name': 'kinesis-fleet', 'app.kubernetes.io/part-of': 'platform' },
      });
    }
  });

  it('writes whatever password into Redis as it is', () => {
    const password = 'a&b<c>"d\\ e';
    const secret = find(
      render([...STREAM, '--set-json', `redis.inCluster.password=${JSON.stringify(password)}`]),
      'Secret',
      /./,
    );
    const texts = secret.stringData as Record<string, string>;
    expect(texts['redis-password']).toBe(password);
    expect(texts['auth.conf']).toBe(`requirepass ${JSON.stringify(password)}\n`);
    expect(decodeURIComponent(new URL(texts['redis-url'] ?? '').password)).toBe(password);
  });

  it('says everything that is wrong in one message, and refuses what the schema does not know', () => {
    const both = ['--set', 'metrics.serviceMonitor.enabled=true,metrics.podMonitor.enabled=true'];
    const said = refusal([...both, '--set', 'redis.url=redis://redis.example:6379']);
    expect(said).toContain('5 value(s) are wrong');
    expect(said).toContain('stream is required');
    expect(said).toContain('exactly one of redis.inCluster.enabled, redis.url and redis.existingSecret');
    expect(said).toContain('are both true');
    expect(said).toContain('install the Prometheus Operator first');
    expect(refusal([...STREAM, '--set', 'worker.replicas=3'])).toContain("'replicas' not allowed");
    // Beside maxUnavailable 0 there would be no way on.
    for (const surge of ['0', '0%'])
      expect(refusal([...STREAM, '--set', `worker.maxSurge=${surge}`])).toContain('maxSurge');
  });
});
