import { describe, expect, it } from 'vitest';
import { SequenceNumbers } from '../../../../local/kinesis/sequence-number.ts';
import { type RecordBatch, ShardLog } from '../../../../local/kinesis/shard-log.ts';

const START_MS = Date.UTC(2026, 10, 21);

function emptyLog(): ShardLog {
  return new ShardLog(new SequenceNumbers(0, START_MS / 1000), START_MS);
}

function put(log: ShardLog, text: string, atMs: number): string {
  return log.append(
    { data: Buffer.from(text).toString('base64'), dataBytes: Buffer.byteLength(text), partitionKey: 'k' },
    atMs,
  );
}

/** `count` records of 1,000 bytes (about 1,500 as logged), one per second. */
function filledLog(count: number): ShardLog {
  const log = emptyLog();
  for (let index = 0; index < count; index += 1) put(log, String(index).padEnd(1000, '.'), START_MS + index * 1000);
  return log;
}

interface ReadRecord {
  SequenceNumber: string;
  ApproximateArrivalTimestamp: number;
  PartitionKey: string;
  Data: string;
}

function recordsOf(batch: RecordBatch): ReadRecord[] {
  return JSON.parse(`[${Buffer.concat(batch.parts).toString()}]`) as ReadRecord[];
}

function textsOf(batch: RecordBatch): string[] {
  return recordsOf(batch).map((record) => Buffer.from(record.Data, 'base64').toString().replaceAll('.', ''));
}

describe('a shard log', () => {
  it('gives records back in order across segments, from any ordinal, as many as asked for', () => {
    const log = filledLog(100);

    const batch = log.read(41, 50, Number.MAX_SAFE_INTEGER);

    expect(textsOf(batch)).toEqual(Array.from({ length: 50 }, (_, index) => String(40 + index)));
    expect(batch.parts.length).toBeGreaterThan(1);
    expect(batch).toMatchObject({ count: 50, nextOrdinal: 91, payloadBytes: 50 * 1001 });
  });

  it('keeps partition keys of any characters', () => {
    const log = emptyLog();
    log.append({ data: '', dataBytes: 0, partitionKey: 'ü"\\\n😀' }, START_MS);

    expect(recordsOf(log.read(1, 1, 1))[0]).toMatchObject({ PartitionKey: 'ü"\\\n😀', Data: '' });
  });

  it('stops at the byte limit, yet never before the first record', () => {
    const log = filledLog(30);

    expect(log.read(1, 100, 5 * 1001).count).toBe(5);
    expect(log.read(1, 100, 5 * 1001 - 1).count).toBe(4);
    expect(log.read(1, 100, 20 * 1001).count).toBe(20);
    expect(log.read(1, 100, 1).count).toBe(1);
  });

  it('reads nothing at the tip and waits there', () => {
    const log = filledLog(3);

    expect(log.read(4, 100, 1000)).toMatchObject({ count: 0, nextOrdinal: 4, parts: [] });
  });

  it('never stamps a record earlier than the one before it', () => {
    const log = emptyLog();
    put(log, 'a', START_MS + 5000);
    put(log, 'b', START_MS + 2000);

    const arrivals = recordsOf(log.read(1, 2, 1000)).map((record) => record.ApproximateArrivalTimestamp * 1000);

    expect(arrivals).toEqual([START_MS + 5000, START_MS + 5000]);
  });

  it('finds the first record at or after a time', () => {
    const log = filledLog(60);

    expect(log.ordinalAtTime(START_MS - 1)).toBe(1);
    expect(log.ordinalAtTime(START_MS + 45_000)).toBe(46);
    expect(log.ordinalAtTime(START_MS + 45_001)).toBe(47);
    expect(log.ordinalAtTime(START_MS + 60_000)).toBe(61);
  });

  it('forgets what is too old to the record, and frees whole segments', () => {
    const log = filledLog(100);
    const bytesBefore = log.bytes;

    const freedBytes = log.trimBefore(START_MS + 70_500);

    expect(log.firstOrdinal).toBe(72);
    expect(textsOf(log.read(1, 1, 1))).toEqual(['71']);
    expect(freedBytes).toBeGreaterThan(0);
    expect(log.bytes).toBe(bytesBefore - freedBytes);
  });

  it('goes on at its ordinal when all of it was forgotten', () => {
    const log = filledLog(20);
    log.trimBefore(START_MS + 1_000_000);
    put(log, 'next', START_MS + 1_000_000);

    expect(log.bytes).toBeGreaterThan(0);
    expect(log.firstOrdinal).toBe(21);
    expect(textsOf(log.read(1, 5, 1000))).toEqual(['next']);
  });

  it('leaves a batch that was handed out as it was', () => {
    const log = filledLog(10);
    const batch = log.read(1, 2, Number.MAX_SAFE_INTEGER);

    log.trimBefore(START_MS + 1_000_000);
    for (let index = 0; index < 50; index += 1) put(log, 'later', START_MS + 1_000_000);

    expect(textsOf(batch)).toEqual(['0', '1']);
  });
});
