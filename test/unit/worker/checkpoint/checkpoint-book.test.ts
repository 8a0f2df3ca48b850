/** The memory of checkpoint attempts: kept for as long as an attempt may still arrive, and no longer. */
import { describe, expect, it } from 'vitest';
import { END, START } from '../../../../lease/position.ts';
import { CheckpointBook } from '../../../../worker/checkpoint/checkpoint-book.ts';
import { KEY, ShardWorld } from '../shard/shard-world.ts';

describe('CheckpointBook', () => {
  it('goes on counting when a shard is opened again in the same generation, and remembers what was tried', () => {
    const book = new CheckpointBook();
    const page = book.pageOf(KEY, 3, 7);
    expect([page.nextVersion(), page.nextVersion()]).toEqual([8, 9]);
    page.tried(END);

    const again = book.pageOf(KEY, 3, 8);

    expect(again.highest).toBe(END);
    expect(again.nextVersion()).toBe(10);
  });

  it('begins a new page for a new generation', () => {
    const book = new CheckpointBook();
    book.pageOf(KEY, 3, 7).tried(END);
    expect(book.pageOf(KEY, 4, 7).highest).toBe(START);
  });

  it('forgets the page of a generation that ended, but not that of a later one', () => {
    const book = new CheckpointBook();
    book.pageOf(KEY, 3, 7).tried(END);
    book.close(KEY, 2);
    expect(book.pageOf(KEY, 3, 7).highest).toBe(END);
    book.close(KEY, 3);
    expect(book.pageOf(KEY, 3, 7).highest).toBe(START);
  });
});

describe('a shard consumer that gave its lease back', () => {
  it('leaves no page behind, so that a worker does not grow with the shards it ever had', async () => {
    // Prepare
    const world = new ShardWorld();
    world.shard.put(1, 2, 3);
    const process = world.start({ book: world.book });
    await world.clock.advanceUntil(() => world.isDone(), 60_000);
    const { generation, owner } = world.lease;
    expect(world.book.pageOf(KEY, generation, 0).highest).not.toBe(START);

    // Act
    await world.store.handoff({ key: KEY, generation }, owner!, 'worker-new');
    process.consumer.leave('handoff');
    await world.clock.runUntil(process.ended);

    // Assess
    expect(world.book.pageOf(KEY, generation, 0).highest).toBe(START);
  });
});
