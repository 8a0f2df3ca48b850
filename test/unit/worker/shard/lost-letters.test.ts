/** Dead letters lie beside slot 0: what Redis loses of the slot it loses of them, and the heal stores them again. */
import { expect, it } from 'vitest';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { DyingPorts } from './dying-ports.ts';
import { ShardWorld } from './shard-world.ts';

const RECORDS = [1, 2, 3, 2, 'x', 4, 'x', 1, 6, 'x', 7, 7] as const;

/** A shard that is read, checkpointed and left, and what Redis held after each effect on the way. */
async function readShard() {
  const world = new ShardWorld();
  const sink = new RecordingSink();
  world.shard.put(...RECORDS);
  const tails: ReturnType<ShardWorld['snapshot']>[] = [];
  const owner = world.start(new DyingPorts(world, sink, undefined, () => tails.push(world.snapshot())).parts);
  await world.clock.advanceUntil(() => world.isDone(), 60_000);
  await owner.kill();
  return { world, tails };
}

it('a dead letter is never lost alone, wherever the tail begins that Redis loses after the checkpoint', async () => {
  const { tails } = await readShard();
  for (let kept = 0; kept < tails.length; kept++) {
    const { world, tails: lost } = await readShard();
    lost[kept]!.lose();
    // Where a row is gone the shard halts: an operator's business.
    if (world.state.slots.some(({ rows }) => rows.size === 0)) continue;
    const heir = world.start();
    await world.clock.advanceUntil(() => heir.consumer.state === 'Reading', 60_000);
    await world.clock.advance(5_000);

    expect(heir.consumer.isHealing).toBe(false);
    expect(new Set(world.deadLetters), `after effect ${kept}`).toEqual(new Set(world.shard.rejectedPositions()));
    await world.assertExact();
    await heir.kill();
  }
});
