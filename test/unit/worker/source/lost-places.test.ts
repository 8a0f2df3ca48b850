/** Places that Kinesis does not know: a shard that is gone, a stream that is another one, records that were trimmed. */
import { expect, test } from 'vitest';
import { positionOf } from '../../../../lease/position.ts';
import { ShardGone } from '../../../../worker/source/place-watch.ts';
import { names, PolledShard } from '../../../support/polled-shard.ts';
import { childOf, kinesisError, SHARD, sequenceOf } from '../../../support/scripted-kinesis.ts';

const NOT_FOUND = { kind: 'error', error: kinesisError('ResourceNotFoundException') } as const;
const AFTER_TWO = { kind: 'AFTER', position: positionOf(sequenceOf(1)) } as const;
const OTHER = childOf('shardId-000000000007', 'shardId-000000000008');
const LISTED = { ...OTHER, shardId: SHARD };

test('a shard that the stream has no more is gone, after two looks and not before', async () => {
  const shard = new PolledShard();
  shard.kinesis.standing = NOT_FOUND;
  shard.kinesis.shards = [OTHER];
  const source = shard.open(AFTER_TWO);
  await shard.clock.advance(10);
  expect(shard.kinesis.listCalls).toBe(1);
  const reading = shard.readUntil(source, () => false);
  await expect(shard.clock.runUntil(reading, 120_000)).rejects.toThrow(ShardGone);
  expect(shard.kinesis.listCalls).toBe(2);
  source.close();
});

test('what was read before a shard was gone is handed out first', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(5);
  shard.kinesis.shards = [OTHER];
  const source = shard.open(undefined, { bufferMs: 60_000, bufferRecords: 100 });
  await shard.next(source);
  shard.kinesis.writeMany(3);
  await shard.clock.advance(300);
  shard.kinesis.standing = NOT_FOUND;
  await shard.clock.advance(120_000);
  const { payloads } = await shard.readUntil(source, (all) => all.length === 3);
  expect(payloads).toEqual(names(3, 5));
  await expect(source.next(shard.stop.signal)).rejects.toThrow(ShardGone);
  source.close();
});

test.each([
  ['is listed still', [LISTED], undefined],
  ['cannot be listed', [OTHER], kinesisError('AccessDeniedException')],
])('a shard that is not found but %s is waited for, and never ends', async (_, shards, listError) => {
  const shard = new PolledShard();
  shard.kinesis.standing = NOT_FOUND;
  shard.kinesis.shards = shards;
  shard.kinesis.listError = listError;
  const source = shard.open(AFTER_TWO);
  const batches = await shard.readUntil(source, () => shard.clock.monotonicMs() > 300_000);
  source.close();
  expect(batches.payloads).toEqual([]);
  expect(batches.last.isShardEnd).toBe(false);
  expect(source.status().condition).toBe('ResourceNotFoundException');
});

test('a shard that one listing left out is not gone', async () => {
  const shard = new PolledShard();
  shard.kinesis.standing = NOT_FOUND;
  shard.kinesis.shards = [OTHER];
  const source = shard.open(AFTER_TWO);
  await shard.clock.advance(10);
  shard.kinesis.shards = [OTHER, LISTED];
  await shard.clock.advanceUntil(() => shard.kinesis.listCalls === 2, 60_000);
  shard.kinesis.shards = [OTHER];
  await shard.clock.advanceUntil(() => shard.kinesis.listCalls === 3, 60_000);
  shard.kinesis.shards = [OTHER, LISTED];
  const { last } = await shard.readUntil(source, () => shard.clock.monotonicMs() > 300_000);
  source.close();
  expect(last.isShardEnd).toBe(false);
});

test('of a stream that was created again nothing is read, whatever its shards are called', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(5);
  const source = shard.open(undefined, {}, shard.kinesis.stream.creationEpochSeconds - 60);
  const { payloads } = await shard.readUntil(source, () => shard.clock.monotonicMs() > 60_000);
  expect(payloads).toEqual([]);
  expect(shard.kinesis.iteratorStarts).toEqual([]);
  expect(source.status().condition).toBe('StreamRecreated');
  source.close();
});

test('a position that the stream does not take shows that the stream is another one', async () => {
  const shard = new PolledShard();
  shard.kinesis.standing = { kind: 'error', error: kinesisError('InvalidArgumentException') };
  shard.kinesis.shards = [OTHER];
  const source = shard.open(AFTER_TWO, {}, shard.kinesis.stream.creationEpochSeconds - 60);
  await shard.readUntil(source, () => shard.clock.monotonicMs() > 120_000);
  expect(source.status().condition).toBe('StreamRecreated');
  source.close();
});

test('a stream that is gone is waited for, and read on when it is the same again', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(4);
  shard.kinesis.standing = NOT_FOUND;
  shard.kinesis.describeError = kinesisError('ResourceNotFoundException');
  const source = shard.open(AFTER_TWO, {}, shard.kinesis.stream.creationEpochSeconds);
  await shard.readUntil(source, () => shard.clock.monotonicMs() > 120_000);
  expect(source.status().condition).toBe('ResourceNotFoundException');
  shard.kinesis.standing = undefined;
  shard.kinesis.describeError = undefined;
  const { payloads } = await shard.readUntil(source, (all) => all.length === 2);
  source.close();
  expect(payloads).toEqual(['r2', 'r3']);
});

test('a start whose record is gone tells the oldest left and since when nothing is kept', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(6);
  shard.kinesis.records.splice(0, 4);
  shard.kinesis.stream = { ...shard.kinesis.stream, retentionMs: 60_000 };
  const source = shard.open(AFTER_TWO);
  const { last } = await shard.readUntil(source, (all) => all.length === 2);
  source.close();
  expect(source.status()).toMatchObject({
    trimmed: 1,
    trim: { after: AFTER_TWO.position, oldestLeftMs: 1_000, horizonMs: last.answeredAtMs - 60_000 },
  });
});
