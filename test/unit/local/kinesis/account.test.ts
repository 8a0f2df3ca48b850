import { describe, expect, it } from 'vitest';
import { Account } from '../../../../local/kinesis/account.ts';
import { Arguments } from '../../../../local/kinesis/arguments.ts';
import { Faults } from '../../../../local/kinesis/faults.ts';
import { jsonCodec } from '../../../../local/kinesis/json-protocol.ts';
import { OPERATIONS } from '../../../../local/kinesis/operations/table.ts';
import { DEFAULT_SETTINGS } from '../../../../local/kinesis/server.ts';
import { Stats } from '../../../../local/kinesis/stats.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const HOUR_MS = 3_600_000;

interface Answered {
  Shards?: { ShardId: string; HashKeyRange: { StartingHashKey: string } }[];
  Records?: { Data: string; SequenceNumber: string }[];
  ShardIterator?: string;
  NextShardIterator?: string | null;
  NextToken?: string;
  MillisBehindLatest?: number;
  ChildShards?: unknown[];
  StreamDescriptionSummary?: { StreamStatus: string; StreamCreationTimestamp: number };
}

/** An account on a fake clock, called as the wire would call it. */
class Desk {
  readonly clock = new FakeClock();
  readonly account: Account;

  constructor(settings: { maxBytes?: number } = {}) {
    this.account = new Account(this.clock, { ...DEFAULT_SETTINGS, ...settings }, new Faults(1), new Stats());
  }

  call(operation: string, args: Record<string, unknown> = {}): Answered {
    this.account.advance();
    const answer = OPERATIONS.get(operation)!(this.account, new Arguments({ StreamName: 's', ...args }));
    return JSON.parse(Buffer.concat(jsonCodec.encode(answer)).toString() || '{}') as Answered;
  }

  async stream(shardCount = 1): Promise<void> {
    this.call('CreateStream', { ShardCount: shardCount });
    await this.clock.advance(50);
  }

  put(text: string): void {
    this.call('PutRecord', { Data: Buffer.from(text).toString('base64'), PartitionKey: 'k' });
  }

  iterator(type = 'TRIM_HORIZON', shardId = 'shardId-000000000000'): string {
    return this.call('GetShardIterator', { ShardId: shardId, ShardIteratorType: type }).ShardIterator!;
  }

  texts(iterator: string): string[] {
    const { Records } = this.call('GetRecords', { ShardIterator: iterator });
    return Records!.map((record) => Buffer.from(record.Data, 'base64').toString());
  }

  shardIds(args: Record<string, unknown> = {}): number[] {
    return this.call('ListShards', args).Shards!.map((shard) => Number(shard.ShardId.slice(-12)));
  }
}

describe('retention', () => {
  it('forgets records past the retention period: TRIM_HORIZON is then the oldest kept', async () => {
    const desk = new Desk();
    await desk.stream();
    const early = desk.iterator();
    desk.put('old');
    await desk.clock.advance(23 * HOUR_MS);
    desk.put('young');
    await desk.clock.advance(2 * HOUR_MS);

    expect(desk.texts(desk.iterator())).toEqual(['young']);
    expect(() => desk.texts(early)).toThrow(expect.objectContaining({ name: 'ExpiredIteratorException' }));
  });

  it('keeps them longer when the period was increased', async () => {
    const desk = new Desk();
    await desk.stream();
    desk.call('IncreaseStreamRetentionPeriod', { RetentionPeriodHours: 48 });
    desk.put('old');
    await desk.clock.advance(47 * HOUR_MS);

    expect(desk.texts(desk.iterator())).toEqual(['old']);
  });

  it('drops a closed shard from the listing once all it held is past retention', async () => {
    const desk = new Desk();
    await desk.stream();
    desk.call('SplitShard', { ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '1000' });
    await desk.clock.advance(50);

    expect(desk.shardIds()).toEqual([0, 1, 2]);
    await desk.clock.advance(24 * HOUR_MS + 1000);
    expect(desk.shardIds()).toEqual([1, 2]);
    expect(() => desk.iterator()).toThrow(expect.objectContaining({ name: 'ResourceNotFoundException' }));
  });

  it('holds the bound on bytes by forgetting the oldest records of the whole server', async () => {
    const desk = new Desk({ maxBytes: 200_000 });
    desk.account.enforceLimits = false;
    await desk.stream();
    desk.call('CreateStream', { StreamName: 'other', ShardCount: 1 });
    await desk.clock.advance(50);
    const data = Buffer.alloc(1000).toString('base64');
    desk.call('PutRecord', { StreamName: 'other', Data: data, PartitionKey: 'k' });
    await desk.clock.advance(1000);
    for (let index = 0; index < 500; index += 1) desk.put(`${index}`.padEnd(1000, '.'));

    const texts = desk.texts(desk.iterator());

    expect(desk.account.retention.bytesHeld).toBeLessThanOrEqual(200_000);
    expect(texts.length).toBeGreaterThan(50);
    expect(texts.at(-1)).toMatch(/^499\./);
    expect(desk.account.stream('other')?.shards[0]?.log.bytes).toBe(0);
  });
});

describe('time-limited tokens', () => {
  it('an iterator expires after five minutes, not before', async () => {
    const desk = new Desk();
    await desk.stream();
    const iterator = desk.iterator();

    await desk.clock.advance(300_000);
    expect(desk.texts(iterator)).toEqual([]);
    await desk.clock.advance(1);
    expect(() => desk.texts(iterator)).toThrow(expect.objectContaining({ name: 'ExpiredIteratorException' }));
  });

  it('a ListShards token expires after 300 seconds, not before', async () => {
    const desk = new Desk();
    await desk.stream(3);
    const { NextToken } = desk.call('ListShards', { MaxResults: 1 });
    const next = (): number[] => desk.shardIds({ StreamName: undefined, NextToken });

    await desk.clock.advance(300_000);
    expect(next()).toEqual([1, 2]);
    await desk.clock.advance(1);
    expect(next).toThrow(expect.objectContaining({ name: 'ExpiredNextTokenException' }));
  });
});

describe('lag', () => {
  it('is the age of the oldest record not yet read, and zero at the tip', async () => {
    const desk = new Desk();
    await desk.stream();
    desk.put('a');
    await desk.clock.advance(4000);
    desk.put('b');
    await desk.clock.advance(1000);
    const first = desk.call('GetRecords', { ShardIterator: desk.iterator(), Limit: 1 });
    const second = desk.call('GetRecords', { ShardIterator: first.NextShardIterator! });

    expect([first.MillisBehindLatest, second.MillisBehindLatest]).toEqual([1000, 0]);
  });
});

describe('recreation', () => {
  it('gives a later creation time even within the same millisecond, and strange sequence numbers to the old iterator', async () => {
    const desk = new Desk();
    await desk.stream();
    const before = desk.call('DescribeStreamSummary').StreamDescriptionSummary!.StreamCreationTimestamp;
    desk.put('a');
    const iterator = desk.iterator();
    const { SequenceNumber } = desk.call('GetRecords', { ShardIterator: iterator }).Records![0]!;
    desk.call('DeleteStream');
    await desk.clock.advance(50);
    desk.clock.wallSkewMs = -50_000;
    await desk.stream();
    desk.clock.wallSkewMs = 0;

    const after = desk.call('DescribeStreamSummary').StreamDescriptionSummary!.StreamCreationTimestamp;
    const continueFrom = { ShardId: 'shardId-000000000000', ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' };

    expect(after).toBeGreaterThan(before);
    expect(() => desk.texts(iterator)).toThrow(expect.objectContaining({ name: 'ResourceNotFoundException' }));
    expect(() => desk.call('GetShardIterator', { ...continueFrom, StartingSequenceNumber: SequenceNumber })).toThrow(
      expect.objectContaining({ name: 'InvalidArgumentException' }),
    );
  });
});

describe('uniform scaling', () => {
  it.each([
    [2, 3],
    [4, 2],
    [3, 5],
    [6, 6],
  ])(
    'from %i to %i shards leaves equal ranges that cover the hash space, and short-lived shards between',
    async (from, to) => {
      const desk = new Desk();
      await desk.stream(from);
      desk.call('UpdateShardCount', { TargetShardCount: to, ScalingType: 'UNIFORM_SCALING' });
      await desk.clock.advance(50);

      const open = desk.call('ListShards', { ShardFilter: { Type: 'AT_LATEST' } }).Shards!;
      const starts = open.map((shard) => BigInt(shard.HashKeyRange.StartingHashKey)).sort((a, b) => (a < b ? -1 : 1));

      expect(starts).toEqual(Array.from({ length: to }, (_, index) => ((1n << 128n) / BigInt(to)) * BigInt(index)));
    },
  );
});
