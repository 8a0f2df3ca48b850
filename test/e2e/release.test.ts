/** The life of a Helm release: a changed value is rolled out under load; what it may do; and an uninstall leaves no trace. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { isShort, sharedClusterFleet, timed, withClusterFleet } from '../support/cluster-case.ts';
import { run, until } from '../support/cluster-command.ts';
import { type ClusterFleet, RELEASE } from '../support/cluster-fleet.ts';
import { metricsPage } from '../support/cluster-pod.ts';
import { rightsIn, rightsOf } from '../support/cluster-rights.ts';

const KINDS = 'all,configmap,secret,serviceaccount,role,rolebinding,poddisruptionbudget,lease,pvc,networkpolicy';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

if (!hasPromtool && !isShort) console.warn('no promtool on PATH: /metrics is not linted here');

/** Tables of the local DynamoDB, asked in the pod that has both it and an SDK. */
async function tables(fleet: ClusterFleet): Promise<string[]> {
  const script = `
    import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = new DynamoDBClient({ endpoint: 'http://127.0.0.1:8000', region: 'us-east-1', credentials });
    console.log(JSON.stringify((await client.send(new ListTablesCommand({}))).TableNames));`;
  const node = ['node', '--input-type=module', '--eval', script];
  const exec = ['exec', 'deployment/local-aws', '--container', 'dynamodb', '--', ...node];
  return JSON.parse(await fleet.kubectl(exec)) as string[];
}

async function uids(fleet: ClusterFleet, component: 'worker' | 'controller'): Promise<Set<string>> {
  return new Set((await fleet.pods(component)).map(({ metadata }) => metadata.uid));
}

describe.skipIf(isShort)('a Helm release on a real cluster', () => {
  it('rolls a changed setting out to every worker under load, keeps the scale, and counts exactly', async () => {
    await withClusterFleet('upgrade', {}, async (fleet) => {
      await fleet.untilBalanced(2);
      await fleet.scale(3);
      await fleet.untilBalanced(3);
      const before = await uids(fleet, 'worker');
      const controllers = await uids(fleet, 'controller');
      await fleet.startProducer(500);

      await timed('upgrade: rolled out', () => fleet.upgrade('--set', 'worker.settings.BUFFER_RECORDS=200'));
      await timed('upgrade: balanced', () => fleet.untilBalanced(3));
      const after = await uids(fleet, 'worker');
      const truth = await fleet.stopProducer();
      const counts = await fleet.untilCounted(truth);

      expect(after.intersection(before)).toEqual(new Set());
      expect(await uids(fleet, 'controller'), 'they do not have the setting').toEqual(controllers);
      expect(await fleet.replicas()).toBe(3);
      expect(counts).toEqual(truth);
    });
  });
});

describe.skipIf(isShort)('the objects of a Helm release on a real cluster', () => {
  const fleet = sharedClusterFleet('release');

  it('let the workers do nothing in Kubernetes but what every account can: no right, and no token', async () => {
    await fleet.kubectl(['create', 'serviceaccount', 'nobody']);
    const [nobody, worker] = await Promise.all([
      rightsOf(fleet.namespace, 'nobody'),
      rightsOf(fleet.namespace, `${RELEASE}-worker`),
    ]);
    const [pod] = await fleet.pods('worker');
    if (!pod) throw new Error('no worker');
    const look = ['exec', pod.metadata.name, '--', 'ls', '/var/run/secrets/kubernetes.io/serviceaccount'];

    expect(worker.difference(nobody)).toEqual(new Set());
    await expect(fleet.kubectl(look)).rejects.toThrow('No such file or directory');
  });

  it('let the controller do exactly what its Role lists', async () => {
    const [nobody, controller] = await Promise.all([
      rightsOf(fleet.namespace, 'nobody'),
      rightsOf(fleet.namespace, `${RELEASE}-controller`),
    ]);
    const role = await fleet.kubectl(['get', `role/${RELEASE}-controller`, '--output', 'json']);
    const { rules } = JSON.parse(role) as { rules: Parameters<typeof rightsIn>[0][] };

    expect(controller.difference(nobody)).toEqual(new Set(rules.flatMap(rightsIn)));
    expect([...controller].filter((right) => /secrets|exec|\*|delete/.test(right) && !nobody.has(right))).toEqual([]);
  });

  it('live where the restricted standard is enforced: a privileged pod is refused', async () => {
    const privileged = { name: 'root', image: 'none', securityContext: { privileged: true } };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'root' }, spec: { containers: [privileged] } };
    const input = JSON.stringify(pod);
    const refused = fleet.kubectl(['create', '--dry-run=server', '--filename', '-'], { input });
    await expect(refused).rejects.toThrow('violates PodSecurity "restricted:latest"');
  });

  it.skipIf(!hasPromtool)('have metrics that promtool finds nothing wrong with, of both processes', async () => {
    for (const component of ['controller', 'worker'] as const) {
      const [pod] = await fleet.pods(component);
      if (!pod) throw new Error(`no ${component}`);
      const input = await metricsPage(fleet, pod);
      expect(input).toContain('kinesis_fleet_build_info');
      expect(await run('promtool', ['check', 'metrics'], { input })).toBe('');
    }
  });

  it('leave no pod of a test that failed, whose log was shown', async () => {
    await fleet.upgrade('--set', 'tests.timeoutSeconds=5');
    await fleet.scale(0);
    await until('no worker', 60_000, async () => (await fleet.pods('worker')).length === 0 || undefined);
    const said = await fleet.helm('test', RELEASE, '--timeout', '60s').catch(String);
    await fleet.scale(2);
    const pods = await fleet.kubectl(['get', 'pods', '--output', 'name']);

    expect(said).toContain('FAILED: every shard is owned');
    expect(pods).not.toContain(`${RELEASE}-test`);
  });

  it('are gone after an uninstall, with what the controller made; the fleet table stays', async () => {
    await fleet.untilBalanced(2);
    const before = await fleet.kubectl(['get', 'lease', '--output', 'name']);

    await timed('uninstall', () => fleet.uninstall());
    // Helm does not wait for the pods of what it deleted; they drain first. The Lease is Kubernetes' to collect.
    const left = await timed('uninstall: pods gone, and everything else', () =>
      until('nothing of the release', 100_000, async () => {
        const found = (await fleet.kubectl(['get', KINDS, '--output', 'name'])).trim().split('\n');
        const own = found.filter((name) => name.includes(RELEASE));
        if (own.length > 0) throw new Error(own.join(', '));
        return found;
      }),
    );

    expect(before.trim()).toBe(`lease.coordination.k8s.io/${RELEASE}-controller`);
    expect(left).toContain('service/local-aws');
    expect(await tables(fleet)).toEqual([RELEASE]);
  });
});
