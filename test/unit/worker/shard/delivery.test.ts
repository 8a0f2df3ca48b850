/** What streaming sinks get: everything that is fresh, at least once, and after a clean handoff nothing twice. */
import { describe, expect, it } from 'vitest';
import { deliveredBefore } from '../../../../worker/shard/delivery.ts';
import { buildLease } from '../../../support/lease-builder.ts';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { at, KEY, ShardWorld } from './shard-world.ts';

const RECORDS = [1, 2, 3, 2, 'x', 4, 5, 1, 6] as const;
/** Positions of RECORDS that are fresh, with their payloads. */
const FRESH = [1, 2, 3, 6, 7, 9].map((n) => `${at(n)} ${RECORDS[n - 1]}`);
/** So that everything lies above the checkpoint. */
const SLOW = { checkpointMs: 600_000 };

/** An owner that had everything, handed over to `worker-new` and gave the lease back. */
async function handedOver(world: ShardWorld, sink: RecordingSink): Promise<void> {
  world.shard.put(...RECORDS);
  const old = world.start({ ...SLOW, streamingSinks: [sink] });
  await world.clock.advance(500);
  const { generation, owner } = world.lease;
  await world.store.handoff({ key: KEY, generation }, owner!, 'worker-new');
  old.consumer.leave('handoff');
  expect(await world.clock.runUntil(old.ended)).toBe('Released');
}

describe('a streaming sink', () => {
  it('gets every fresh record once, in order, and no duplicate and nothing that is rejected', async () => {
    const world = new ShardWorld();
    const sink = new RecordingSink();
    world.shard.put(...RECORDS);
    const process = world.start({ streamingSinks: [sink] });
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(sink.delivered).toEqual(FRESH);
    await process.kill();
  });

  it("gets again from a crashed owner's checkpoint on, with the same judgements", async () => {
    const world = new ShardWorld();
    const [first, second] = [new RecordingSink(), new RecordingSink()];
    world.shard.put(...RECORDS);
    const old = world.start({ ...SLOW, streamingSinks: [first] });
    await world.clock.advance(500);
    await old.kill();
    const heir = world.start({ streamingSinks: [second] });
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(first.delivered).toEqual(FRESH);
    expect(second.delivered).toEqual(FRESH);
    await heir.kill();
  });

  it('gets again what is healed: another copy may be the fresh one now', async () => {
    const world = new ShardWorld();
    const sink = new RecordingSink();
    const process = world.start({ streamingSinks: [sink] });
    await world.clock.advance(5_000);
    const early = world.snapshot();
    world.shard.put(...RECORDS);
    await world.clock.advanceUntil(() => world.isDone(), 60_000);
    expect(sink.delivered).toEqual(FRESH);

    early.lose();
    await world.clock.advanceUntil(() => process.consumer.isHealing, 60_000);
    await world.clock.advanceUntil(() => !process.consumer.isHealing, 60_000);

    expect(sink.delivered).toEqual([...FRESH, ...FRESH]);
    await world.assertExact();
    await process.kill();
  });

  it('holds the checkpoint back while its other side is away', async () => {
    const world = new ShardWorld();
    const sink = new RecordingSink();
    sink.isAway = true;
    world.shard.put(...RECORDS);
    const process = world.start({ streamingSinks: [sink] });
    await world.clock.advance(30_000);

    expect(world.lease.checkpoint.kind).toBe('TRIM_HORIZON');
    await process.kill();
  });
});

describe('a clean handoff', () => {
  it('leaves how far the sinks are, and the next owner delivers nothing of that again', async () => {
    const world = new ShardWorld();
    const [first, second] = [new RecordingSink(), new RecordingSink()];
    await handedOver(world, first);
    expect(world.lease.deliveredTo).toEqual({ position: at(9), generation: 1 });
    expect(world.lease.checkpoint.kind).toBe('TRIM_HORIZON');
    world.shard.put(8);
    const heir = world.startAgain('worker-new', { streamingSinks: [second] });
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(first.delivered).toEqual(FRESH);
    expect(second.delivered).toEqual([`${at(10)} 8`]);
    expect(heir.counts.replayed).toBe(9);
    await world.assertExact();
    await heir.kill();
  });

  it('is told on by an owner that is moved again before it read a record', async () => {
    const world = new ShardWorld();
    const [first, second, third] = [new RecordingSink(), new RecordingSink(), new RecordingSink()];
    await handedOver(world, first);
    const middle = world.startAgain('worker-new', { ...SLOW, streamingSinks: [second] });
    await world.clock.advance(1);
    const { generation } = world.lease;
    await world.store.handoff({ key: KEY, generation }, 'worker-new', 'worker-newer');
    middle.consumer.leave('handoff');
    await world.clock.runUntil(middle.ended);
    const heir = world.startAgain('worker-newer', { streamingSinks: [third] });
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect([...second.delivered, ...third.delivered]).toEqual([]);
    await heir.kill();
  });

  it('is not trusted when Redis lost a part of what the old owner had judged', async () => {
    const world = new ShardWorld();
    const [first, second] = [new RecordingSink(), new RecordingSink()];
    const before = world.snapshot();
    await handedOver(world, first);
    before.lose();
    const heir = world.startAgain('worker-new', { streamingSinks: [second] });
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(second.delivered).toEqual(FRESH);
    await world.assertExact();
    await heir.kill();
  });

  it('is not trusted by a second opening in the same generation', async () => {
    const world = new ShardWorld();
    const [first, second] = [new RecordingSink(), new RecordingSink()];
    await handedOver(world, first);
    const heir = world.startAgain('worker-new', { ...SLOW, streamingSinks: [] });
    await world.clock.advance(5);
    await heir.kill();
    const again = world.startAgain('worker-new', { streamingSinks: [second] });
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(second.delivered).toEqual(FRESH);
    await again.kill();
  });
});

describe('how far an owner says it delivered', () => {
  const lease = buildLease({ generation: 8, deliveredTo: { position: at(5), generation: 7 } });
  const rows = { lowestRow: at(5), wereOf: (generation: number) => generation === 7 };

  it('counts in the next generation, when every row was still its own and reached as far', () => {
    expect(deliveredBefore(lease, rows)).toBe(at(5));
  });

  it.each([
    ['it was left by an earlier generation', { ...lease, generation: 9 }, rows],
    ['somebody opened the rows in between', lease, { ...rows, wereOf: () => false }],
    ['a row is behind it', lease, { ...rows, lowestRow: at(4) }],
    ['nobody said anything', buildLease({ generation: 8 }), rows],
  ])('does not count when %s', (_, seen, found) => {
    expect(deliveredBefore(seen, found)).toBeUndefined();
  });
});
