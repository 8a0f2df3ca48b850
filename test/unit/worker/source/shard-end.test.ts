/** When a shard has ended: never by an error, never early, and always in the end. */
import { describe, expect, test } from 'vitest';
import type { ListedShard } from '../../../../worker/source/kinesis-reads.ts';
import { shardEndVerdict } from '../../../../worker/source/shard-end.ts';
import { names, PolledShard } from '../../../support/polled-shard.ts';
import { childOf, kinesisError, SHARD, sequenceOf } from '../../../support/scripted-kinesis.ts';

const NULL_ITERATOR = { kind: 'page', change: { nextShardIterator: undefined } } as const;
const CHILD = childOf(SHARD, 'shardId-000000000001');

function listed(endingSequenceNumber?: string): ListedShard {
  return { ...CHILD, shardId: SHARD, parentShards: [], startingSequenceNumber: sequenceOf(0), endingSequenceNumber };
}

test('a null iterator with child shards ends the shard with the batch of its last record', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(250);
  shard.kinesis.childShards = [CHILD];
  const source = shard.open(undefined, { maxRecords: 100 });
  const ends: boolean[] = [];
  const { payloads, last } = await shard.readUntil(
    source,
    (_, batch) => ends.push(batch.isShardEnd) > 0 && batch.isShardEnd,
  );
  source.close();
  expect(payloads).toEqual(names(250));
  expect(ends).toEqual([false, false, true]);
  expect(last.childShards).toEqual([CHILD]);
  expect(shard.kinesis.listCalls).toBe(0);
});

test('a null iterator on an open shard is transient: a new iterator goes on after the last record', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(5);
  shard.kinesis.shards = [listed()];
  shard.kinesis.script.push(NULL_ITERATOR, NULL_ITERATOR);
  const source = shard.open();
  await shard.readUntil(source, (all) => all.length === 5);
  await shard.clock.advance(2_000);
  shard.kinesis.writeMany(5);
  const { payloads, last } = await shard.readUntil(source, (all) => all.length === 5);
  source.close();
  expect(payloads).toEqual(names(5, 5));
  expect(last.isShardEnd).toBe(false);
});

test('a null iterator without child shards ends a shard whose children ListShards shows, and names them', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(5);
  shard.kinesis.shards = [listed(), CHILD];
  shard.kinesis.standing = NULL_ITERATOR;
  const source = shard.open();
  const { payloads, last } = await shard.readUntil(source, (_, batch) => batch.isShardEnd);
  source.close();
  expect(payloads).toEqual(names(5));
  expect(last.childShards.map((child) => child.shardId)).toEqual([CHILD.shardId]);
});

test('a null iterator in the middle of a closed shard loses nothing: reading on decides', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(30);
  shard.kinesis.pageRecords = 10;
  shard.kinesis.shards = [listed('9223372036854775807'), CHILD];
  shard.kinesis.standing = NULL_ITERATOR;
  const source = shard.open();
  const { payloads } = await shard.readUntil(source, (_, batch) => batch.isShardEnd);
  source.close();
  expect(payloads).toEqual(names(30));
});

test('a null iterator waits for a ListShards that fails, and ends the shard when it answers', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(5);
  shard.kinesis.standing = NULL_ITERATOR;
  shard.kinesis.listError = kinesisError('AccessDeniedException');
  const source = shard.open();
  const early = await shard.readUntil(source, (all, batch) => all.length === 5 && batch.count === 0);
  const condition = source.status().condition;
  shard.kinesis.listError = undefined;
  shard.kinesis.shards = [listed(sequenceOf(4))];
  const { payloads } = await shard.readUntil(source, (_, batch) => batch.isShardEnd);
  source.close();
  expect(early.payloads).toEqual(names(5));
  expect(condition).toBe('AccessDeniedException');
  expect(payloads).toEqual([]);
});

test('a closed shard whose iterator never becomes null ends when reads stay empty after its children appeared', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(5);
  shard.kinesis.shards = [listed()];
  const source = shard.open();
  await shard.readUntil(source, (all) => all.length === 5);
  shard.kinesis.shards = [listed(), CHILD];
  const startMs = shard.clock.monotonicMs();
  const { payloads, last } = await shard.readUntil(source, (_, batch) => batch.isShardEnd);
  source.close();
  expect(payloads).toEqual([]);
  expect(last.childShards.map((child) => child.shardId)).toEqual([CHILD.shardId]);
  expect(shard.clock.monotonicMs() - startMs).toBeLessThan(35_000);
});

test('an idle open shard asks ListShards twice a minute at most, and does without the permission', async () => {
  const shard = new PolledShard();
  shard.kinesis.listError = kinesisError('AccessDeniedException');
  const source = shard.open();
  await shard.clock.advance(300_000);
  const status = source.status();
  source.close();
  expect(shard.kinesis.listCalls).toBeLessThanOrEqual(11);
  expect(status).toMatchObject({ condition: undefined, failures: 0 });
});

describe('the verdict of a listing', () => {
  test('an open shard without children is open, and so is one that is not listed', () => {
    expect(shardEndVerdict({ shard: listed(), children: [] }, sequenceOf(9))).toBe('open');
    expect(shardEndVerdict({ shard: undefined, children: [] }, sequenceOf(9))).toBe('open');
  });

  test('the ending sequence number proves the end only once it was read', () => {
    const family = { shard: listed(sequenceOf(9)), children: [] };
    expect(shardEndVerdict(family, sequenceOf(8))).toBe('closed');
    expect(shardEndVerdict(family, undefined)).toBe('closed');
    expect(shardEndVerdict(family, sequenceOf(9))).toBe('readToEnd');
  });

  test('an ending sequence number below the start of the shard proves nothing', () => {
    expect(shardEndVerdict({ shard: listed('9223372036854775807'), children: [] }, sequenceOf(3))).toBe('closed');
  });
});
