/**
 * Shard iterators and list tokens: opaque text to clients, here the place to read from and when it was issued.
 * An iterator names one incarnation of a stream (by creation time), so that it never reads from a recreated one.
 * `serial` orders iterators by issue, which lets a fault expire all those handed out so far (faults.ts).
 */
import { invalidArgument, KinesisError } from './kinesis-error.ts';

export interface ShardIterator {
  streamName: string;
  streamCreatedMs: number;
  shardId: string;
  /** Ordinal of the next record to read. */
  ordinal: number;
  /** Monotonic. */
  issuedMs: number;
  serial: number;
}

const ITERATOR_LIFETIME_MS = 300_000;
const MARK = 'AAAAAAAAAAH';

export function encodeShardIterator(iterator: ShardIterator): string {
  const { streamName, streamCreatedMs, shardId, ordinal, issuedMs, serial } = iterator;
  const text = [streamName, streamCreatedMs, shardId, ordinal, issuedMs, serial].join('/');
  return MARK + Buffer.from(text, 'latin1').toString('base64');
}

/** Throws InvalidArgumentException when the text is no iterator of ours. */
export function decodeShardIterator(text: string): ShardIterator {
  const fields = text.startsWith(MARK)
    ? Buffer.from(text.slice(MARK.length), 'base64').toString('latin1').split('/')
    : [];
  const [streamName, createdMs, shardId, ordinal, issuedMs, serial] = fields;
  const numbers = [createdMs, ordinal, issuedMs, serial].map(Number);
  if (fields.length !== 6 || numbers.some((number) => !Number.isFinite(number))) {
    throw invalidArgument('Invalid ShardIterator.');
  }
  return {
    streamName: streamName!,
    streamCreatedMs: numbers[0]!,
    shardId: shardId!,
    ordinal: numbers[1]!,
    issuedMs: numbers[2]!,
    serial: numbers[3]!,
  };
}

/** Throws ExpiredIteratorException five minutes after issue. */
export function checkNotExpired(iterator: ShardIterator, nowMs: number): void {
  if (nowMs - iterator.issuedMs > ITERATOR_LIFETIME_MS) throw expiredIterator();
}

export function expiredIterator(): KinesisError {
  return new KinesisError(
    'ExpiredIteratorException',
    `Iterator expired. It is older than the tolerated delay of ${ITERATOR_LIFETIME_MS} milliseconds.`,
  );
}
