/** Processes and pods that vanish without a word, while records flow: nothing is lost, nothing counted twice. */
import { describe, expect, it } from 'vitest';
import { isShort, timed, withClusterFleet } from '../support/cluster-case.ts';
import { until } from '../support/cluster-command.ts';
import type { ClusterFleet, Pod, ShardStatus } from '../support/cluster-fleet.ts';
import { NodeKiller } from '../support/cluster-kill.ts';

/** A worker that holds a shard. */
async function busyWorker(fleet: ClusterFleet): Promise<Pod> {
  const [pods, shards] = await Promise.all([fleet.pods('worker'), fleet.status()]);
  const busy = pods.find((pod) => shards.some(({ owner }) => owner.startsWith(`${pod.metadata.name}-`)));
  if (!busy) throw new Error(`no worker holds a shard: ${JSON.stringify(shards)}`);
  return busy;
}

function sum(shards: readonly ShardStatus[]): number {
  return shards.reduce((total, { generation }) => total + generation, 0);
}

describe.skipIf(isShort)('a fleet on a real cluster under attack', () => {
  it('counts exactly when the main process of a worker is killed and its container restarts in place', async () => {
    await withClusterFleet('kill', {}, async (fleet) => {
      const killer = new NodeKiller(fleet, process.env.IMAGE ?? '');
      try {
        await fleet.untilBalanced(2);
        await fleet.startProducer(500);
        const victim = await busyWorker(fleet);
        const before = await fleet.status();
        const dead = before.find(({ owner }) => owner.startsWith(`${victim.metadata.name}-`))?.owner;

        await killer.kill(victim);
        const restarted = await timed('kill: container restarted', () =>
          until('a restart in place', 60_000, async () => {
            const pod = (await fleet.pods('worker')).find(({ metadata }) => metadata.uid === victim.metadata.uid);
            return pod?.status.containerStatuses?.[0]?.restartCount === 1 ? pod : undefined;
          }),
        );
        // The process that starts in its place has the pod's name and another one of its own.
        const after = await timed('kill: balanced again', () =>
          until('no shard of the dead process', 60_000, async () => {
            const shards = await fleet.untilBalanced(2);
            return shards.some(({ owner }) => owner === dead) ? undefined : shards;
          }),
        );
        const truth = await fleet.stopProducer();
        const counts = await fleet.untilCounted(truth);

        expect(restarted.metadata.name).toBe(victim.metadata.name);
        expect(dead).toBeDefined();
        expect(sum(after)).toBeGreaterThan(sum(before));
        expect(counts).toEqual(truth);
      } finally {
        await killer.remove();
      }
    });
  });

  it('counts exactly when a worker pod is deleted by force', async () => {
    await withClusterFleet('force', {}, async (fleet) => {
      await fleet.untilBalanced(2);
      await fleet.startProducer(500);
      const victim = await busyWorker(fleet);

      await fleet.kubectl(['delete', 'pod', victim.metadata.name, '--force', '--grace-period=0']);
      await timed('delete --force: balanced again', () => fleet.untilBalanced(2));
      const names = (await fleet.pods('worker')).map(({ metadata }) => metadata.name);
      const truth = await fleet.stopProducer();
      const counts = await fleet.untilCounted(truth);

      expect(names).not.toContain(victim.metadata.name);
      expect(counts).toEqual(truth);
    });
  });

  it('counts exactly when the leading controller is deleted: the other one leads on and moves shards', async () => {
    await withClusterFleet('leader', {}, async (fleet) => {
      await fleet.untilBalanced(2);
      await fleet.startProducer(500);
      const leader = await fleet.leader();
      const others = (await fleet.pods('controller')).map(({ metadata }) => metadata.name);

      await fleet.kubectl(['delete', 'pod', leader, '--force', '--grace-period=0']);
      const next = await timed('leader deleted: another leads', () =>
        until('another leader', 60_000, async () => {
          const now = await fleet.leader();
          return now === leader || now === '' ? undefined : now;
        }),
      );
      // A leader in name only would not give the new workers their shards.
      await fleet.scale(4);
      await timed('leader deleted: the next one has spread the shards', () => fleet.untilBalanced(4));
      const truth = await fleet.stopProducer();
      const counts = await fleet.untilCounted(truth);

      expect(others).toContain(leader);
      expect(next).not.toBe(leader);
      expect(counts).toEqual(truth);
    });
  });
});
