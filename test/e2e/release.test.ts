/** The life of a Helm release: a changed value is rolled out under load, and an uninstall leaves what it says it does. */
import { describe, expect, it } from 'vitest';
import { isShort, timed, withClusterFleet } from '../support/cluster-case.ts';
import { until } from '../support/cluster-command.ts';
import { type ClusterFleet, RELEASE } from '../support/cluster-fleet.ts';

const KINDS = 'all,configmap,secret,serviceaccount,role,rolebinding,poddisruptionbudget,lease,pvc,networkpolicy';

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

  it('leaves the fleet table and the record of the leader when it is uninstalled, and nothing else', async () => {
    await withClusterFleet('uninstall', {}, async (fleet) => {
      await fleet.untilBalanced(2);

      await timed('uninstall', () => fleet.uninstall());
      // Helm does not wait for the pods of what it deleted; they drain first.
      await timed('uninstall: pods gone', () =>
        until('no pods', 100_000, async () => {
          const pods = await Promise.all([fleet.pods('worker'), fleet.pods('controller')]);
          return pods.flat().length === 0 || undefined;
        }),
      );
      const found = (await fleet.kubectl(['get', KINDS, '--output', 'name'])).trim().split('\n');
      const left = found.filter((name) => name.includes(RELEASE));

      expect(found).toContain('service/local-aws');
      expect(left).toEqual([`lease.coordination.k8s.io/${RELEASE}-controller`]);
      expect(await tables(fleet)).toEqual([RELEASE]);
    });
  });
});
