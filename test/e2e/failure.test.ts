/** Processes and pods that vanish without a word, while records flow: nothing is lost, nothing counted twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isShort, sharedClusterFleet, timed } from '../support/cluster-case.ts';
import { until } from '../support/cluster-command.ts';
import type { Pod, ShardStatus } from '../support/cluster-fleet.ts';
import { NodeKiller } from '../support/cluster-kill.ts';

function sum(shards: readonly ShardStatus[]): number {
  return shards.reduce((total, { generation }) => total + generation, 0);
}

describe.skipIf(isShort)('a fleet on a real cluster under attack', () => {
  const fleet = sharedClusterFleet('failure');
  const killer = new NodeKiller(fleet, process.env.IMAGE ?? '');
  beforeAll(async () => {
    await fleet.untilBalanced(2);
    await fleet.startProducer(500);
  }, 120_000);
  afterAll(() => killer.remove());

  /** A worker that holds a shard, and the process in it that does. */
  async function busyWorker(): Promise<{ readonly pod: Pod; readonly owner: string }> {
    const [pods, shards] = await Promise.all([fleet.pods('worker'), fleet.status()]);
    for (const pod of pods) {
      const owner = shards.find((shard) => shard.owner.startsWith(`${pod.metadata.name}-`))?.owner;
      if (owner) return { pod, owner };
    }
    throw new Error(`no worker holds a shard: ${JSON.stringify(shards)}`);
  }

  it('moves the shards of a worker whose main process is killed, and whose container restarts in place', async () => {
    const victim = await busyWorker();
    const before = await fleet.status();

    await killer.kill(victim.pod);
    const restarted = await timed('kill: container restarted', () =>
      until('a restart in place', 60_000, async () => {
        const pod = (await fleet.pods('worker')).find(({ metadata }) => metadata.uid === victim.pod.metadata.uid);
        return pod?.status.containerStatuses?.[0]?.restartCount === 1 ? pod : undefined;
      }),
    );
    // The process that starts in its place has the pod's name and another one of its own.
    const after = await timed('kill: balanced again', () =>
      until('no shard of the dead process', 60_000, async () => {
        const shards = await fleet.untilBalanced(2);
        return shards.some(({ owner }) => owner === victim.owner) ? undefined : shards;
      }),
    );

    expect(restarted.metadata.name).toBe(victim.pod.metadata.name);
    expect(sum(after)).toBeGreaterThan(sum(before));
  });

  it('moves the shards of a worker pod that is deleted by force', async () => {
    const victim = await busyWorker();

    await fleet.kubectl(['delete', 'pod', victim.pod.metadata.name, '--force', '--grace-period=0']);
    const shards = await timed('delete --force: balanced again', () => fleet.untilBalanced(2));

    const names = (await fleet.pods('worker')).map(({ metadata }) => metadata.name);
    expect(names).not.toContain(victim.pod.metadata.name);
    expect(shards.map(({ owner }) => owner)).not.toContain(victim.owner);
  });

  it('has another leader when the leading controller is deleted, and that one moves shards', async () => {
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

    expect(others).toContain(leader);
    expect(next).not.toBe(leader);
  });

  it('has counted every record once in the end', async () => {
    const truth = await fleet.stopProducer();
    const counts = await fleet.untilCounted(truth);
    expect(counts).toEqual(truth);
  });
});
