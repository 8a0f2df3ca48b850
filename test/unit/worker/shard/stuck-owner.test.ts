/** An owner that is stuck in the middle of its work, and one that comes back after others had its shard. */
import { describe, expect, it } from 'vitest';
import { untilAborted } from '../../../../worker/ledger/waiting.ts';
import type { StreamingSink } from '../../../../worker/sink/streaming-sink.ts';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { at, KEY, ShardWorld } from './shard-world.ts';

const RECORDS = [1, 2, 3, 2, 'x', 4, 5, 1, 6, 'x', 7, 7] as const;
const DAY_MS = 86_400_000;

/** A stage that never ends. */
const STUCK: StreamingSink = { deliver: (...[, , , signal]) => untilAborted(new Promise(() => undefined), signal) };

describe('an owner whose processing never ends', () => {
  it('keeps its lease when it is asked to leave, and once forced out it wrote nothing that the next owner undoes', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    const stuck = world.start({ streamingSinks: [STUCK] });
    await world.clock.advance(3_000);
    const { generation, owner } = world.lease;
    await world.store.handoff({ key: KEY, generation }, owner!, 'worker-new');
    stuck.consumer.leave('handoff');
    await world.clock.advance(30_000);
    expect(world.lease).toMatchObject({ generation, checkpointOwner: owner, checkpoint: { kind: 'TRIM_HORIZON' } });

    await world.store.force({ key: KEY, generation }, owner!);
    const heir = world.startAgain('worker-new');
    stuck.consumer.abort('reassigned');
    expect(await world.clock.runUntil(stuck.ended)).toBe('Aborted');
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    await world.assertExact();
    expect(heir.counts.replayed).toBeGreaterThan(0);
    expect(heir.counts.replayed).toBeLessThanOrEqual(RECORDS.length);
    await heir.kill();
  });
});

describe('an owner that was frozen while another one had its shard', () => {
  it('writes no checkpoint, counts nothing and delivers no more than the batch in its hands when it goes on', async () => {
    const world = new ShardWorld();
    const sink = new RecordingSink();
    world.shard.put(...RECORDS);
    let thaw: () => void = () => undefined;
    const frozen = new Promise<void>((resolve) => {
      thaw = resolve;
    });
    const late: StreamingSink = {
      deliver: async (...args) => {
        await frozen;
        await sink.deliver(...args);
      },
    };
    const zombie = world.start({ streamingSinks: [late] });
    await world.clock.advance(3_000);
    const heir = world.start();
    await world.clock.advanceUntil(() => world.isDone(), 60_000);
    const { lease } = world;

    thaw();
    expect(await world.clock.runUntil(zombie.ended)).toBe('Aborted');

    expect(world.lease).toEqual(lease);
    expect([...zombie.counts.leasesLost.keys()]).toEqual(['fenced']);
    // Streaming sinks get things at least once; this batch was judged before it froze.
    expect(sink.delivered).toEqual([1, 2, 3].map((n) => `${at(n)} ${n}`));
    await world.assertExact();
    await heir.kill();
  });
});

describe('a shard that nobody had for a day', () => {
  it('is gone on with from its checkpoint, and what came meanwhile is counted once', async () => {
    const world = new ShardWorld();
    world.shard.put(...RECORDS);
    const before = world.start();
    await world.clock.advanceUntil(() => world.isDone(), 60_000);
    before.consumer.leave('shutdown');
    await world.clock.runUntil(before.ended);
    expect(world.lease.owner).toBeUndefined();
    await world.clock.advance(DAY_MS / 2);
    world.shard.put(20, 21, 'x');
    await world.clock.advance(DAY_MS / 2);

    const after = world.start();
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(after.counts).toMatchObject({ records: 3, replayed: 0 });
    await world.assertExact();
    await after.kill();
  });
});
