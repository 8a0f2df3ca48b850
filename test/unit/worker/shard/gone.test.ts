/** A shard that retention trimmed before it was read to its end. */
import { describe, expect, it } from 'vitest';
import { END } from '../../../../lease/position.ts';
import { ShardGone } from '../../../../worker/source/place-watch.ts';
import { createFakeSources, rawBatchOf } from '../../../support/fake-source.ts';
import { KEY, ShardWorld } from './shard-world.ts';

function vanishing(world: ShardWorld) {
  const sources = createFakeSources(world.clock);
  const openSource: typeof sources.open = (shardId, start) => {
    const source = sources.open(shardId, start);
    const script = sources.opened.length === 1 ? [rawBatchOf([{ sequenceNumber: '1', payload: '1' }])] : [];
    sources.opened.at(-1)?.push(...script, new ShardGone(shardId));
    return source;
  };
  return { openSource };
}

describe('a shard that the stream has no more', () => {
  it('loses its lease row when what was read of it is counted and settled, and is never called ended', async () => {
    const world = new ShardWorld();
    const process = world.start(vanishing(world));

    expect(await world.clock.runUntil(process.ended)).toBe('Released');

    expect(world.rows.has(KEY)).toBe(false);
    expect(world.store.faults.calls).not.toContain('shardEnd');
    expect(world.state.slots.map((slot) => slot.rows.get(KEY)?.position)).toEqual([END, END]);
    expect((await world.ledger.totals()).get('f')).toBe(1);
    expect(process.counts.shardsGone).toBe(1);
  });

  it('loses it in the end wherever its owners die on the way', async () => {
    const counting = new ShardWorld();
    const whole = counting.start(vanishing(counting));
    await counting.clock.runUntil(whole.ended);
    for (let call = 1; call <= whole.gate.calls; call++) {
      const world = new ShardWorld();
      const parts = vanishing(world);
      const victim = world.start(parts, { call, side: call % 2 === 0 ? 'before' : 'after' });
      await world.clock.advanceUntil(() => victim.gate.isDead);
      await victim.kill();
      if (!world.rows.has(KEY)) continue;
      const heir = world.start(parts);
      expect(await world.clock.runUntil(heir.ended), `died at call ${call}`).toBe('Released');
      expect(world.rows.has(KEY)).toBe(false);
    }
  });

  it('keeps the lease row when another owner has it already', async () => {
    const world = new ShardWorld();
    const process = world.start(vanishing(world));
    await world.clock.advanceUntil(() => process.consumer.state === 'Ending');
    const { generation, owner } = world.lease;
    await world.store.take({ key: KEY, generation }, owner!, 'other');

    expect(await world.clock.runUntil(process.ended)).toBe('Aborted');
    expect(world.lease).toMatchObject({ owner: 'other', generation: generation + 1 });
  });
});
