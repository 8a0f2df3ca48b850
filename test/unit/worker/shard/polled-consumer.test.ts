/** A shard consumer over the polling source: what Kinesis refuses for long delays its records and changes nothing else. */
import { describe, expect, it } from 'vitest';
import { positionOf } from '../../../../lease/position.ts';
import { silentLogger } from '../../../../runtime/logger.ts';
import { untilAborted } from '../../../../worker/ledger/waiting.ts';
import type { DeadLetterSink } from '../../../../worker/sink/dead-letter-sink.ts';
import { ByteBudget } from '../../../../worker/source/byte-budget.ts';
import { DEFAULT_SOURCE_SETTINGS } from '../../../../worker/source/open-source.ts';
import { openPollingSource } from '../../../../worker/source/polling.ts';
import { ShardListing } from '../../../../worker/source/shard-listing.ts';
import { kinesisError, ScriptedKinesis, SHARD, sequenceOf } from '../../../support/scripted-kinesis.ts';
import { type Process, ShardWorld } from './shard-world.ts';

const MINUTE_MS = 60_000;

class PolledWorld extends ShardWorld {
  readonly kinesis = new ScriptedKinesis(() => this.clock.monotonicMs());
  /** No batch gets done before it. */
  pause = Promise.resolve();

  write(...identities: number[]): void {
    this.shard.put(...identities);
    this.kinesis.write(...identities.map(String));
  }

  begin(): Process {
    const { clock, kinesis } = this;
    const deadLetters: DeadLetterSink = {
      store: async (_, { through }, signal) => {
        await untilAborted(this.pause, signal);
        return { through, stored: undefined };
      },
    };
    return this.start({
      deadLettersFor: () => deadLetters,
      openSource: (_, start) =>
        openPollingSource({
          ...{ shardId: SHARD, start, reads: kinesis, listing: new ShardListing(kinesis, clock), clock },
          ...{ budget: new ByteBudget(64 * 1024 * 1024), logger: silentLogger, random: () => 0.5 },
          settings: DEFAULT_SOURCE_SETTINGS,
        }),
    });
  }
}

describe('a shard consumer over Kinesis', () => {
  it('that is throttled for ten minutes keeps its shard, is never stalled, and counts everything after it', async () => {
    const world = new PolledWorld();
    world.write(1, 2, 3, 2);
    const process = world.begin();
    await world.clock.advance(5_000);
    world.write(4, 5, 1);
    world.kinesis.standing = {
      kind: 'error',
      error: kinesisError('ProvisionedThroughputExceededException'),
    };
    const { length: before } = world.kinesis.readTimesMs;
    const { generation } = world.lease;
    await world.clock.advance(10 * MINUTE_MS);

    expect(process.consumer.state).toBe('Reading');
    expect(world.clock.monotonicMs() - process.consumer.progress.lastSignMs).toBeLessThan(MINUTE_MS);
    expect(process.consumer.throttledReads).toBeGreaterThan(100);
    expect(world.kinesis.readTimesMs.length - before).toBeLessThan(300);
    world.kinesis.standing = undefined;
    await world.clock.advance(10_000);
    await world.assertCounts();
    expect(world.lease.generation).toBe(generation);
    await process.kill();
  });

  it('whose processing stands still for six minutes goes on with new iterators, with nothing lost and nothing twice', async () => {
    const world = new PolledWorld();
    let resume: () => void = () => undefined;
    world.pause = new Promise((resolve) => {
      resume = resolve;
    });
    world.write(1, 2, 3, 2);
    const process = world.begin();
    await world.clock.advance(MINUTE_MS);
    world.write(4, 5);
    await world.clock.advance(5 * MINUTE_MS);
    world.kinesis.expireIterators();
    world.write(6, 1);
    resume();
    await world.clock.advance(MINUTE_MS);

    await world.assertCounts();
    expect(process.counts).toMatchObject({ records: 8, replayed: 0, reopenings: 0 });
    expect(world.kinesis.iteratorStarts.at(-1)?.type).toBe('AFTER_SEQUENCE_NUMBER');
    await process.kill();
  });

  it('whose checkpoint is older than retention goes on with the oldest record left, and says that some were trimmed', async () => {
    const world = new PolledWorld();
    world.write(1, 2, 3, 4);
    const before = world.begin();
    await world.clock.advance(10_000);
    before.consumer.leave('shutdown');
    await world.clock.runUntil(before.ended);
    expect(world.lease.checkpoint).toMatchObject({ kind: 'AFTER', position: positionOf(sequenceOf(3)) });
    world.write(5, 6, 7, 8, 9, 10);
    world.kinesis.records.splice(0, 7);
    world.kinesis.stream = { ...world.kinesis.stream, retentionMs: 60_000 };
    const after = world.begin();
    await world.clock.advance(10_000);

    expect((await world.ledger.totals()).get('f')).toBe(4 + 3);
    expect(after.counts).toMatchObject({ records: 3, trims: 1 });
    expect(after.consumer.condition).toBeUndefined();
    expect(world.lease.checkpoint).toMatchObject({ kind: 'AFTER', position: positionOf(sequenceOf(9)) });
    await after.kill();
  });
});
