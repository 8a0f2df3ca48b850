/** A shard whose rows were at END already is read again slowly: its last dead letter is younger than its rows. */
import { describe, expect, it } from 'vitest';
import { checkpointPosition, END } from '../../../../lease/position.ts';
import { SETTLE_MS, ShardWorld } from './shard-world.ts';

describe('the end of a shard that was read more slowly than writes settle', () => {
  it('waits for the last dead letter to settle, in place of reading everything again, and again', async () => {
    // Prepare: an owner that moved every row to END, and died before it wrote SHARD_END
    const world = new ShardWorld();
    world.shard.put(1, 2, 'x');
    world.endShard([]);
    const first = world.start();
    await world.clock.advanceUntil(() => world.rowPositions().every((position) => position === END));
    await first.kill();

    // Act
    const slowly = world.start({
      openSource: (_, start) => {
        const source = world.shard.open(checkpointPosition(start));
        return {
          ...source,
          async next(signal) {
            await world.clock.sleep(2 * SETTLE_MS, signal);
            return source.next(signal);
          },
        };
      },
    });
    await world.clock.advanceUntil(() => slowly.consumer.state === 'Released', 20 * SETTLE_MS);

    // Assess
    expect(world.lease.checkpoint.kind).toBe('SHARD_END');
    expect(slowly.counts.reopenings).toBe(0);
    await world.assertExact();
    await slowly.kill();
  });
});
