/** Reading one shard by GetRecords: everything once and in order, at the right pace, whatever Kinesis answers. */
import { expect, test } from 'vitest';
import { positionOf } from '../../../../lease/position.ts';
import { names, PolledShard, payloadsOf } from '../../../support/polled-shard.ts';
import { kinesisError, sequenceOf } from '../../../support/scripted-kinesis.ts';

test('a backlog is handed out in order, once, in batches of at most maxRecords', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(2_500);
  shard.kinesis.pageRecords = 1_200;
  const source = shard.open();
  const sizes: number[] = [];
  const { payloads } = await shard.readUntil(source, (all, batch) => {
    sizes.push(batch.count);
    return all.length >= 2_500;
  });
  source.close();
  expect(payloads).toEqual(names(2_500));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
});

test('a slice of a large page shares its bytes instead of copying them', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(2_000);
  const source = shard.open(undefined, { maxRecords: 400 });
  const first = await shard.next(source);
  const second = await shard.next(source);
  source.close();
  expect(first.count).toBe(400);
  expect(second.bytes).toBe(first.bytes);
  expect(payloadsOf(second)).toEqual(names(400, 400));
});

test('a slice that leaves records of its answer behind does not say that the tip is reached', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(500);
  const source = shard.open(undefined, { maxRecords: 300 });
  const batches = [await shard.next(source), await shard.next(source)];
  source.close();
  expect(batches.map((batch) => batch.millisBehindLatest)).toEqual([1, 0]);
});

test('few records wait BUFFER_MS for more, across polls, and come as one batch', async () => {
  const shard = new PolledShard();
  const source = shard.open(undefined, { bufferMs: 600 });
  shard.kinesis.write('first');
  await shard.next(source);
  const firstMs = shard.clock.monotonicMs();
  shard.kinesis.write('a');
  await shard.clock.advance(300);
  shard.kinesis.write('b', 'c');
  const batch = await shard.next(source);
  source.close();
  expect(payloadsOf(batch)).toEqual(['a', 'b', 'c']);
  expect(batch.sequenceNumbers).toEqual([sequenceOf(1), sequenceOf(2), sequenceOf(3)]);
  // Read at the next poll, 250 ms later.
  expect(shard.clock.monotonicMs() - firstMs).toBe(850);
});

test('the first records do not wait: nobody counted them for a while', async () => {
  const shard = new PolledShard();
  shard.kinesis.write('a');
  const source = shard.open(undefined, { bufferMs: 60_000 });
  const batch = await shard.next(source);
  source.close();
  expect(payloadsOf(batch)).toEqual(['a']);
  expect(shard.clock.monotonicMs()).toBe(0);
});

test('an aborted signal ends next with what was read already, once', async () => {
  const shard = new PolledShard();
  const source = shard.open(undefined, { bufferMs: 60_000 });
  shard.kinesis.write('first');
  await shard.next(source);
  shard.kinesis.write('a', 'b');
  const pending = source.next(shard.stop.signal);
  await shard.clock.advance(300);
  shard.stop.abort();
  expect(payloadsOf((await pending)!)).toEqual(['a', 'b']);
  expect(await source.next(shard.stop.signal)).toBeUndefined();
  source.close();
});

test('BUFFER_RECORDS records do not wait', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(100);
  const source = shard.open(undefined, { bufferMs: 60_000 });
  const batch = await shard.next(source);
  source.close();
  expect(batch.count).toBe(100);
  expect(shard.clock.monotonicMs()).toBe(0);
});

test('an idle shard answers with an empty batch each second and reads four times a second', async () => {
  const shard = new PolledShard();
  const source = shard.open();
  const batch = await shard.next(source);
  await shard.next(source);
  source.close();
  expect(batch).toMatchObject({ count: 0, millisBehindLatest: 0, isShardEnd: false });
  expect(shard.clock.monotonicMs()).toBe(2_000);
  expect(shard.kinesis.readTimesMs.filter((ms) => ms < 2_000)).toHaveLength(8);
});

test('empty pages behind the tip are read on at once and never called caught up', async () => {
  const shard = new PolledShard();
  shard.kinesis.standing = { kind: 'page', change: { millisBehindLatest: 60_000 } };
  const source = shard.open();
  const batch = await shard.next(source);
  source.close();
  expect(batch.millisBehindLatest).toBe(60_000);
  expect(shard.kinesis.readTimesMs.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
});

test('however far behind, no more than five reads start within any second', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(300);
  shard.kinesis.pageRecords = 10;
  const source = shard.open();
  await shard.readUntil(source, (all) => all.length === 300);
  source.close();
  const starts = shard.kinesis.readTimesMs;
  expect(starts.filter((ms, i) => i >= 5 && ms - starts[i - 5]! < 1_000)).toEqual([]);
});

test('an expired iterator is replaced after the last record read, with none lost and none twice', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(10);
  const source = shard.open();
  await shard.readUntil(source, (all) => all.length === 10);
  shard.kinesis.expireIterators();
  shard.kinesis.writeMany(5);
  const { payloads } = await shard.readUntil(source, (all) => all.length >= 5);
  source.close();
  expect(payloads).toEqual(names(5, 10));
  expect(shard.kinesis.iteratorStarts.at(-1)).toEqual({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: sequenceOf(9) });
});

test('throttling is counted, backs off up to five seconds, and ends by itself', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(3);
  shard.kinesis.standing = { kind: 'error', error: kinesisError('ProvisionedThroughputExceededException') };
  const source = shard.open();
  await shard.clock.advance(60_000);
  const whileThrottled = source.status();
  shard.kinesis.standing = undefined;
  const { payloads } = await shard.readUntil(source, (all) => all.length === 3);
  source.close();
  expect(whileThrottled.throttled).toBeGreaterThanOrEqual(15);
  expect(whileThrottled.throttled).toBeLessThan(40);
  expect(whileThrottled).toMatchObject({ condition: undefined, lastError: 'ProvisionedThroughputExceededException' });
  expect(payloads).toEqual(names(3));
  expect(source.status().degradedSinceMs).toBeUndefined();
});

test.each(['AccessDeniedException', 'KMSDisabledException', 'ResourceNotFoundException', 'InvalidArgumentException'])(
  '%s shows as a condition, is retried slowly, never ends the shard, and recovers',
  async (name) => {
    const shard = new PolledShard();
    shard.kinesis.writeMany(3);
    shard.kinesis.standing = { kind: 'error', error: kinesisError(name) };
    const source = shard.open();
    await shard.clock.advance(120_000);
    const reads = shard.kinesis.readTimesMs.length;
    const condition = source.status().condition;
    const empty = await shard.next(source);
    shard.kinesis.standing = undefined;
    const { payloads } = await shard.readUntil(source, (all) => all.length === 3);
    source.close();
    expect(condition).toBe(name);
    expect(reads).toBeLessThan(15);
    expect(empty.isShardEnd).toBe(false);
    expect(payloads).toEqual(names(3));
    expect(source.status().condition).toBeUndefined();
  },
);

test('a call that never answers ends at its deadline and is repeated', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(3);
  shard.kinesis.script.push({ kind: 'hang' });
  const source = shard.open(undefined, { callDeadlineMs: 4_000 });
  const { payloads } = await shard.readUntil(source, (all) => all.length === 3);
  const status = source.status();
  source.close();
  expect(payloads).toEqual(names(3));
  expect(status).toMatchObject({ lastError: 'TimeoutError', failures: 1 });
  expect(shard.kinesis.readTimesMs[1]).toBeLessThan(4_200);
});

test('a start after a plain record goes on with the next one', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(6);
  const source = shard.open({ kind: 'AFTER', position: positionOf(sequenceOf(3)) });
  const { payloads } = await shard.readUntil(source, (all) => all.length > 0);
  source.close();
  expect(payloads).toEqual(['r4', 'r5']);
  expect(source.status().trimmed).toBe(0);
});

test('a start inside an aggregate, or after its first user record, reads the aggregate again', async () => {
  const shard = new PolledShard();
  shard.kinesis.write(Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2, 1, 2, 3), 'next');
  const counts: number[] = [];
  for (const sub of [0, 41]) {
    const source = shard.open({ kind: 'AFTER', position: positionOf(sequenceOf(0), sub) });
    counts.push((await shard.next(source)).count);
    source.close();
  }
  expect(counts).toEqual([2, 2]);
});

test('a start whose record is gone goes on at the oldest one left and says that records were trimmed', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(6);
  shard.kinesis.records.splice(0, 4);
  const source = shard.open({ kind: 'AFTER', position: positionOf(sequenceOf(1)) });
  const { payloads } = await shard.readUntil(source, (all) => all.length > 0);
  source.close();
  expect(payloads).toEqual(['r4', 'r5']);
  expect(source.status().trimmed).toBe(1);
});

test('a consumer that takes nothing stops the reading; taking and releasing lets it go on', async () => {
  const shard = new PolledShard();
  shard.kinesis.writeMany(5_000);
  shard.kinesis.pageRecords = 500;
  const source = shard.open();
  await shard.clock.advance(60_000);
  const readAhead = shard.kinesis.readTimesMs.length;
  const { payloads } = await shard.readUntil(source, (all) => all.length === 5_000);
  await shard.clock.flush();
  expect(readAhead).toBe(2);
  expect(payloads).toEqual(names(5_000));
  source.close();
  expect(shard.budget.usedBytes).toBe(0);
});

test('the bytes of a page go back to the budget when its last batch is released', async () => {
  const shard = new PolledShard();
  shard.kinesis.write(new Uint8Array(400_000), new Uint8Array(400_000), 'end');
  const source = shard.open(undefined, { maxRecords: 2, bufferRecords: 1, bufferMs: 0, pollIntervalMs: 1_000_000 });
  const first = await shard.next(source);
  const second = await shard.next(source);
  source.release(first);
  const held = shard.budget.usedBytes;
  source.release(second);
  const left = shard.budget.usedBytes;
  source.close();
  expect(held).toBeGreaterThan(800_000);
  expect(left).toBe(0);
});

test('the memory of a large page is returned with its last batch, that of a small one is left alone', async () => {
  const shard = new PolledShard();
  shard.kinesis.write(new Uint8Array(900_000), new Uint8Array(900_000), new Uint8Array(10));
  shard.kinesis.pageRecords = 2;
  const source = shard.open(undefined, { maxRecords: 1, bufferRecords: 1, bufferMs: 0 });
  const batches = [await shard.next(source), await shard.next(source), await shard.next(source)];
  const lengths = batches.map((batch) => {
    source.release(batch);
    return batches.map(({ bytes }) => bytes.byteLength);
  });
  source.close();
  expect(lengths).toEqual([
    [1_800_000, 1_800_000, 10],
    [0, 0, 10],
    [0, 0, 10],
  ]);
});

test('closing ends a waiting next, drops what was read ahead, and leaves nobody asleep', async () => {
  const shard = new PolledShard();
  const source = shard.open();
  await shard.clock.advance(100);
  const pending = source.next(shard.stop.signal);
  source.close();
  expect(await pending).toBeUndefined();
  await shard.clock.advance(40_000);
  expect(shard.clock.sleeping()).toBe(0);
  expect(shard.budget.usedBytes).toBe(0);
});

test('an aborted signal ends next with undefined when nothing was read', async () => {
  const shard = new PolledShard();
  const source = shard.open();
  await shard.clock.flush();
  const pending = source.next(shard.stop.signal);
  shard.stop.abort();
  expect(await pending).toBeUndefined();
  source.close();
});
