/**
 * A copy of an identity counts nothing, wherever it arrives: each test is one place. What must come out is said by a log
 * that has all records in a row. Copies beyond the horizon are no duplicates, and are not here.
 */
import { describe, expect, it } from 'vitest';
import { checkpointPosition } from '../../../../lease/position.ts';
import { findDefects, mend } from '../../../../ledger/mending.ts';
import { emptyReferenceSlot } from '../../../../ledger/reference.ts';
import { buildLease, testLeaseKey } from '../../../support/lease-builder.ts';
import { tokenOf } from '../../../support/ledger-builder.ts';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { DyingPorts } from './dying-ports.ts';
import { MemoryShard } from './memory-shard.ts';
import { at, type Process, ShardWorld } from './shard-world.ts';

const OTHER_KEY = testLeaseKey('shardId-000000000007');

/** A world with a second shard, whose records lie in the same ledger. */
class TwoShards extends ShardWorld {
  readonly other = new MemoryShard(this.clock);

  startOther(workerId: string): Process {
    const generation = (this.rows.get(OTHER_KEY)?.generation ?? 0) + 1;
    const row = this.rows.get(OTHER_KEY) ?? buildLease({ key: OTHER_KEY, shardId: 'shardId-000000000007' });
    this.store.put({ ...row, generation, owner: workerId });
    const openSource = (_: string, start: Parameters<typeof checkpointPosition>[0]) =>
      this.other.open(checkpointPosition(start));
    return this.startAgain(workerId, { openSource }, undefined, this.rows.get(OTHER_KEY)!);
  }

  get isAllDone(): boolean {
    return this.isDone() && checkpointPosition(this.rows.get(OTHER_KEY)!.checkpoint) >= this.other.lastPosition();
  }

  async untilAllDone(): Promise<void> {
    await this.clock.advanceUntil(() => this.isAllDone, 60_000);
  }
}

/** Counts equal those of one log with these records. */
async function expectCounted(world: ShardWorld, ...payloads: readonly (number | 'x')[]): Promise<void> {
  const log = new MemoryShard(world.clock);
  log.put(...payloads);
  expect(Object.fromEntries(await world.ledger.totals())).toEqual(log.truth());
  for (const process of world.processes) await process.kill();
}

describe('a duplicate', () => {
  it('within a batch counts nothing', async () => {
    const world = new ShardWorld();
    world.shard.put(1, 2, 1, 1, 2);
    const owner = world.start();
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(owner.counts).toMatchObject({ records: 5, fresh: 2, duplicate: 3 });
    await expectCounted(world, 1, 2, 1, 1, 2);
  });

  it('in another batch counts nothing', async () => {
    const world = new ShardWorld();
    world.shard.batchRecords = 1;
    world.shard.put(1, 2, 1, 2);
    const owner = world.start();
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(owner.counts).toMatchObject({ fresh: 2, duplicate: 2 });
    await expectCounted(world, 1, 2, 1, 2);
  });

  it('on another shard of the same worker counts nothing', async () => {
    const world = new TwoShards();
    world.shard.put(1, 2, 3);
    world.other.put(3, 1, 4);
    const { workerId } = world.start();
    world.startOther(workerId);
    await world.untilAllDone();

    await expectCounted(world, 1, 2, 3, 3, 1, 4);
  });

  it('on another shard of another worker counts nothing, whichever copy is read first', async () => {
    const world = new TwoShards();
    world.shard.batchRecords = 1;
    world.other.batchRecords = 1;
    world.shard.put(1, 2, 3, 4);
    world.other.put(4, 3, 2, 1);
    const [one, two] = [world.start(), world.startOther('worker-b')];
    await world.untilAllDone();

    expect(one.counts.fresh).toBeGreaterThan(0);
    expect(two.counts.fresh).toBeGreaterThan(0);
    await expectCounted(world, 1, 2, 3, 4, 4, 3, 2, 1);
  });

  it('that another worker reads, after it took the shard over from a dead one, counts nothing', async () => {
    const world = new ShardWorld();
    world.shard.put(1, 2, 3);
    const old = world.start();
    await world.clock.advance(500);
    await old.kill();
    world.shard.put(3, 1, 4);
    const heir = world.start();
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(heir.counts).toMatchObject({ fresh: 1, duplicate: 2, replayed: 3 });
    await expectCounted(world, 1, 2, 3, 3, 1, 4);
  });

  it('on the other side of a period border counts nothing', async () => {
    const world = new ShardWorld();
    const { periodMs } = world.spec;
    await world.clock.advance(periodMs - (world.clock.wallMs() % periodMs) - 1);
    world.shard.put(1, 2);
    await world.clock.advance(2);
    world.shard.put(2, 3, 1);
    world.start();
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(world.state.slots.map(({ periods }) => periods.size)).toContain(2);
    await expectCounted(world, 1, 2, 2, 3, 1);
  });

  it.each(['commit 0', 'commit 1'])('of a batch whose owner died right after %s alone counts nothing', async (call) => {
    const world = new ShardWorld();
    const sink = new RecordingSink();
    world.shard.put(1, 2, 1, 2, 3);
    const lost = call === 'commit 0' ? 'commit 1' : 'commit 0';
    const ports = new DyingPorts(world, sink, { call, side: 'answered', lost });
    const victim = world.start(ports.parts);
    await world.clock.advanceUntil(() => ports.isDead, 60_000);
    await victim.kill();
    expect(new Set(world.rowPositions()).size).toBe(2);

    world.shard.put(1, 2, 4);
    world.start(new DyingPorts(world, sink).parts);
    await world.clock.advanceUntil(() => world.isDone(), 60_000);

    expect(sink.delivered).toEqual([`${at(1)} 1`, `${at(2)} 2`, `${at(5)} 3`, `${at(8)} 4`]);
    await expectCounted(world, 1, 2, 1, 2, 3, 1, 2, 4);
  });

  it('of a record that a lost tail took counts nothing once both are read again', async () => {
    const world = new TwoShards();
    world.shard.put(1, 2);
    const before = world.snapshot();
    world.start();
    await world.clock.advance(300);
    world.other.put(2, 1, 3);
    world.startOther('worker-b');
    await world.clock.advance(300);
    before.lose();
    await world.untilAllDone();

    await expectCounted(world, 1, 2, 2, 1, 3);
  });

  it('counts nothing when a lost slot is counted again by rewind, whichever shard has the first copy then', async () => {
    const world = new TwoShards();
    world.shard.put(1, 2, 3);
    const [owner, other] = [world.start(), world.startOther('worker-b')];
    await world.clock.advance(5_000);
    world.other.put(3, 1, 5);
    await world.untilAllDone();
    world.state.slots[1] = emptyReferenceSlot();
    world.state.connection += 1;
    const states = (): string[] => [owner, other].map(({ consumer }) => consumer.state);
    await world.clock.advanceUntil(() => states().every((state) => state === 'Halted'), 60_000);

    for (const defect of await findDefects(world.ledger, world.spec, [...world.rows.values()])) {
      const lease = world.rows.get(defect.leaseKey)!;
      expect(await mend(world.ledger, lease, defect, 'rewind', tokenOf(9))).toBe(true);
    }
    world.shard.put(5, 3);
    await world.clock.advanceUntil(() => states().every((state) => state === 'Reading'), 60_000);
    await world.clock.advanceUntil(() => world.isAllDone && !owner.consumer.isHealing && !other.consumer.isHealing);

    await expectCounted(world, 1, 2, 3, 3, 1, 5, 5, 3);
  });
});
