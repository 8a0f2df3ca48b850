/** From an empty namespace to a fleet that counts, and `kubectl scale` as the only thing needed to grow and shrink it. */
import { describe, expect, it } from 'vitest';
import { timed, withClusterFleet } from '../support/cluster-case.ts';
import { isReady } from '../support/cluster-fleet.ts';

describe('a fleet on a real cluster', () => {
  it('is installed by helm under restricted Pod Security with its initial workers, and counts exactly', async () => {
    await withClusterFleet('install', { helmOptions: ['--set', 'worker.initialReplicas=3'] }, async (fleet) => {
      await timed('install: initial workers share the shards', () => fleet.untilBalanced(3));
      const enforced = await fleet.kubectl([
        ...['get', 'namespace', fleet.namespace, '--output'],
        'jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}',
      ]);
      const controllers = await fleet.pods('controller');

      await fleet.startProducer(1_000, 10_000);
      const truth = await fleet.untilProduced();
      const counts = await fleet.untilCounted(truth);

      expect(enforced).toBe('restricted');
      expect(await fleet.replicas()).toBe(3);
      expect(controllers.map(isReady)).toEqual([true, true]);
      expect(truth.records).toBe(10_000);
      expect(counts).toEqual(truth);
    });
  });

  it('grows from 2 to 5 workers and shrinks to 1 by kubectl scale under load, and counts exactly', async () => {
    await withClusterFleet('scale', { shards: 6 }, async (fleet) => {
      await fleet.untilBalanced(2);
      await fleet.startProducer(500);

      await fleet.scale(5);
      await timed('scale: 2 to 5 workers, each with a shard', () => fleet.untilBalanced(5));
      await fleet.scale(1);
      await timed('scale: 5 workers to 1, all shards held and the others gone', () => fleet.untilBalanced(1));
      const truth = await fleet.stopProducer();
      const counts = await fleet.untilCounted(truth);

      expect(counts).toEqual(truth);
      expect(await fleet.replicas()).toBe(1);
    });
  });
});
