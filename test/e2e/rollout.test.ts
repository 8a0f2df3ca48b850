/** Workers replaced on purpose while records flow: by a rollout, and by the eviction API as a drain of a node does. */
import { describe, expect, it } from 'vitest';
import { isShort, timed, withClusterFleet } from '../support/cluster-case.ts';
import { until } from '../support/cluster-command.ts';
import { type ClusterFleet, isReady, type Pod, RELEASE, type ShardStatus } from '../support/cluster-fleet.ts';

/** What kubectl drain does to a pod, without its patience: fails with what the API says when it refuses. */
async function evict(fleet: ClusterFleet, { metadata: { name } }: Pod): Promise<void> {
  const { namespace } = fleet;
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  await fleet.kubectl(['create', '--raw', path, '--filename', '-'], { input: JSON.stringify(eviction) });
}

/** How often each shard changed its owner: its generation grows by one each time. */
function moves(before: readonly ShardStatus[], after: readonly ShardStatus[]): number[] {
  const generations = new Map(before.map(({ shard, generation }) => [shard, generation]));
  return after.map(({ shard, generation }) => generation - (generations.get(shard) ?? Number.NaN));
}

describe.skipIf(isShort)('workers on a real cluster that are replaced', () => {
  it('hand each shard over at most twice in a rollout restart under load, and count exactly', async () => {
    await withClusterFleet(
      'restart',
      { shards: 6, helmOptions: ['--set', 'worker.initialReplicas=3'] },
      async (fleet) => {
        const before = await fleet.untilBalanced(3);
        const old = new Set((await fleet.pods('worker')).map(({ metadata }) => metadata.uid));
        await fleet.startProducer(500);

        const deployment = `deployment/${RELEASE}-worker`;
        await fleet.kubectl(['rollout', 'restart', deployment]);
        await timed('rollout restart: 3 workers replaced, balanced', async () => {
          const flags = { timeoutMs: 180_000 };
          await fleet.kubectl(['rollout', 'status', deployment, '--timeout=170s'], flags);
          await fleet.untilBalanced(3);
        });
        const moved = moves(before, await fleet.status());
        const now = new Set((await fleet.pods('worker')).map(({ metadata }) => metadata.uid));
        process.stdout.write(`rollout restart: moves per shard: ${moved.join(' ')}\n`);
        const truth = await fleet.stopProducer();
        const counts = await fleet.untilCounted(truth);

        expect(now.intersection(old)).toEqual(new Set());
        expect(moved.filter((times) => !(times >= 1 && times <= 2))).toEqual([]);
        expect(counts).toEqual(truth);
      },
    );
  });

  it('are evicted one at a time, as their disruption budget says, and count exactly under load', async () => {
    await withClusterFleet('evict', { helmOptions: ['--set', 'worker.initialReplicas=3'] }, async (fleet) => {
      await fleet.untilBalanced(3);
      await fleet.startProducer(500);
      const [first, second] = await fleet.pods('worker');
      if (!first || !second) throw new Error('no two workers');

      await evict(fleet, first);
      const refused = await evict(fleet, second).catch(String);
      await timed('eviction: the other pod in its place, balanced', () => fleet.untilBalanced(3));
      const between = (await fleet.pods('worker')).map(({ metadata }) => metadata.name);
      await until('room in the budget again', 30_000, async () => {
        await evict(fleet, second);
        return true;
      });
      await timed('second eviction: balanced', () => fleet.untilBalanced(3));
      const after = await fleet.pods('worker');
      const truth = await fleet.stopProducer();
      const counts = await fleet.untilCounted(truth);

      // kubectl's words for status 429.
      expect(refused).toContain('TooManyRequests');
      expect(between).toContain(second.metadata.name);
      expect(between).not.toContain(first.metadata.name);
      expect(after.map(({ metadata }) => metadata.name)).not.toContain(second.metadata.name);
      expect(after.map(isReady)).toEqual([true, true, true]);
      expect(counts).toEqual(truth);
    });
  });
});
