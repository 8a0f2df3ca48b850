/** Large records: read whole, one by one when need be, and never more of them at once than the budget allows. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalStream } from '../../support/local-stream.ts';

const MIB = 1024 * 1024;

let stream: LocalStream;

beforeEach(async () => {
  stream = await LocalStream.start(10_240);
  stream.kinesis.enforceLimits(false);
});

afterEach(() => stream.close());

test('records of many megabytes arrive whole and in order within the byte budget', async () => {
  const sizes = [9 * MIB, 10, 7 * MIB, 9 * MIB, 9 * MIB, 3];
  for (const [i, size] of sizes.entries()) await stream.writePayloads([Buffer.alloc(size, i + 1)]);
  const source = stream.open();
  const seen: { size: number; first: number; last: number }[] = [];
  let mostBytes = 0;
  while (seen.length < sizes.length) {
    const batch = await source.next(AbortSignal.timeout(30_000));
    if (!batch) throw new Error(`timed out after ${seen.length} records`);
    mostBytes = Math.max(mostBytes, stream.budget.usedBytes);
    for (let i = 0; i < batch.count; i++) {
      const [start, end] = [batch.starts[i]!, batch.ends[i]!];
      seen.push({ size: end - start, first: batch.bytes[start]!, last: batch.bytes[end - 1]! });
    }
    source.release(batch);
  }
  expect(seen).toEqual(sizes.map((size, i) => ({ size, first: i + 1, last: i + 1 })));
  expect(mostBytes).toBeLessThanOrEqual(stream.budget.totalBytes);
});
