/** The source over the SDK and a real socket: whatever goes wrong on the way, each record comes once and in order. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { positionOf } from '../../../lease/position.ts';
import type { RawBatch } from '../../../worker/source/raw-batch.ts';
import type { ShardSource } from '../../../worker/source/shard-source.ts';
import { LocalStream } from '../../support/local-stream.ts';
import { payloadsOf } from '../../support/polled-shard.ts';

let stream: LocalStream;

beforeEach(async () => {
  stream = await LocalStream.start();
});

afterEach(() => stream.close());

async function readUntil(source: ShardSource, isEnough: (count: number, batch: RawBatch) => boolean) {
  const payloads: string[] = [];
  const sequences: string[] = [];
  for (;;) {
    const batch = await source.next(AbortSignal.timeout(30_000));
    if (!batch) throw new Error(`not enough after ${payloads.length} records: ${JSON.stringify(source.status())}`);
    payloads.push(...payloadsOf(batch));
    sequences.push(...batch.sequenceNumbers.slice(0, batch.count));
    source.release(batch);
    if (isEnough(payloads.length, batch)) return { payloads, sequences, last: batch };
  }
}

function texts(name: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${name}${from + i}`);
}

function inject(
  operation: string,
  effect: Parameters<typeof stream.kinesis.faults.add>[0]['effect'],
  remaining: number,
) {
  stream.kinesis.faults.add({ operation, effect, phase: 'before', rate: 1, remaining });
}

test('a shard that is split while it is read ends after its last record and names its two children', async () => {
  await stream.write('a', 900);
  const source = stream.open();
  const before = await readUntil(source, (count) => count > 0);
  await stream.split();
  const { payloads, last } = await readUntil(source, (_, batch) => batch.isShardEnd);
  expect([...before.payloads, ...payloads]).toEqual(texts('a', 900));
  expect(last.childShards.map((child) => child.parentShards)).toEqual([
    ['shardId-000000000000'],
    ['shardId-000000000000'],
  ]);
});

test('injected failures of every kind delay records and change nothing else', async () => {
  await stream.write('a', 900);
  inject('GetShardIterator', { kind: 'error', name: 'InternalFailureException', message: 'injected' }, 1);
  inject('GetRecords', { kind: 'error', name: 'ProvisionedThroughputExceededException', message: 'injected' }, 2);
  inject('GetRecords', { kind: 'drop' }, 1);
  inject('GetRecords', { kind: 'hang' }, 1);
  const source = stream.open(undefined, { callDeadlineMs: 300 });
  const { payloads } = await readUntil(source, (count) => count >= 900);
  expect(payloads).toEqual(texts('a', 900));
  expect(source.status()).toMatchObject({ throttled: 2, failures: 3, condition: undefined });
});

test('expired iterators are renewed without losing or repeating a record', async () => {
  const source = stream.open();
  const seen: string[] = [];
  for (let round = 0; round < 3; round++) {
    await stream.write('a', 200, round * 200);
    seen.push(...(await readUntil(source, (count) => count >= 200)).payloads);
    stream.kinesis.faults.expireIterators();
  }
  expect(seen).toEqual(texts('a', 600));
});

test('a start at a time skips what arrived before it', async () => {
  await stream.write('a', 5);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const timestampMs = Date.now();
  await stream.write('b', 5);
  const { payloads } = await readUntil(stream.open({ kind: 'AT_TIMESTAMP', timestampMs }), (count) => count >= 5);
  expect(payloads).toEqual(texts('b', 5));
});

test('a start after each position goes on with exactly the next record', async () => {
  stream.kinesis.enforceLimits(false);
  await stream.write('a', 20);
  const whole = stream.open();
  const { sequences } = await readUntil(whole, (count) => count === 20);
  whole.close();
  for (const i of [0, 7, 18]) {
    const source = stream.open({ kind: 'AFTER', position: positionOf(sequences[i]!) });
    const { payloads } = await readUntil(source, (count) => count >= 19 - i);
    source.close();
    expect(payloads).toEqual(texts('a', 19 - i, i + 1));
    expect(source.status().trimmed).toBe(0);
  }
});

test('the answer of a call that the client gave up is not lost', async () => {
  await stream.write('a', 50);
  stream.kinesis.faults.add({
    operation: 'GetRecords',
    effect: { kind: 'drop' },
    phase: 'after',
    rate: 0.5,
    remaining: 3,
  });
  const { payloads } = await readUntil(stream.open(), (count) => count >= 50);
  expect(payloads).toEqual(texts('a', 50));
});

test("batches carry Kinesis's clock and arrival times, and say when the tip is reached", async () => {
  await stream.write('a', 10);
  const { last } = await readUntil(stream.open(), (count) => count >= 10);
  expect(last.millisBehindLatest).toBe(0);
  expect(Math.abs(last.answeredAtMs - Date.now())).toBeLessThan(5_000);
  expect(Math.abs(last.arrivalsMs[0]! - Date.now())).toBeLessThan(5_000);
});

test('a stream that is gone shows as a condition and never as a shard end', async () => {
  inject('GetRecords', { kind: 'error', name: 'ResourceNotFoundException', message: 'injected' }, 1);
  const source = stream.open();
  const batch = await source.next(AbortSignal.timeout(5_000));
  expect(batch).toMatchObject({ count: 0, isShardEnd: false, answeredAtMs: 0 });
  expect(source.status().condition).toBe('ResourceNotFoundException');
});
