/**
 * GetShardIterator and GetRecords. An iterator is an ordinal in one shard of one incarnation of a stream; a read
 * returns slices of the log. NextShardIterator is null only past the end of a closed shard, and ChildShards comes
 * with it. Neighbours: shard-iterator.ts, shard-log.ts, rate-limit.ts.
 */
import type { Account } from '../account.ts';
import type { Answer } from '../answer.ts';
import type { Arguments } from '../arguments.ts';
import { invalidArgument, notFound, throttled } from '../kinesis-error.ts';
import { parseSequenceNumber } from '../sequence-number.ts';
import { childShardDescription, type Shard } from '../shard.ts';
import {
  checkNotExpired,
  decodeShardIterator,
  encodeShardIterator,
  expiredIterator,
  type ShardIterator,
} from '../shard-iterator.ts';
import type { Stream } from '../stream.ts';

const ITERATOR_TYPES = [
  'AT_SEQUENCE_NUMBER',
  'AFTER_SEQUENCE_NUMBER',
  'AT_TIMESTAMP',
  'TRIM_HORIZON',
  'LATEST',
] as const;
const MAX_RECORDS = 10_000;
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

export function getShardIterator(account: Account, args: Arguments): Answer {
  const shardId = args.text('ShardId');
  const type = args.oneOf('ShardIteratorType', ITERATOR_TYPES);
  const stream = account.streamOf(args);
  const shard = stream.shard(shardId);
  if (!shard) throw noSuchShard(account, stream.name, shardId);
  const ordinal = startingOrdinal(account, args, shard, type);
  return { members: { ShardIterator: issueIterator(account, stream, shard, ordinal) } };
}

function startingOrdinal(
  account: Account,
  args: Arguments,
  shard: Shard,
  type: (typeof ITERATOR_TYPES)[number],
): number {
  const sequenceNumber = args.optionalText('StartingSequenceNumber');
  const timestampMs = args.optionalTimestampMs('Timestamp');
  const isBySequence = type === 'AT_SEQUENCE_NUMBER' || type === 'AFTER_SEQUENCE_NUMBER';
  if (isBySequence !== (sequenceNumber !== undefined)) {
    throw invalidArgument(
      'Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or ' +
        `(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ${type}.`,
    );
  }
  switch (type) {
    case 'TRIM_HORIZON':
      return shard.log.firstOrdinal;
    case 'LATEST':
      return shard.log.nextOrdinal;
    case 'AT_TIMESTAMP':
      return ordinalAtTime(account, shard, timestampMs);
    case 'AT_SEQUENCE_NUMBER':
      return ordinalOf(shard, sequenceNumber!);
    case 'AFTER_SEQUENCE_NUMBER':
      return Math.min(ordinalOf(shard, sequenceNumber!) + 1, shard.log.nextOrdinal);
  }
}

function ordinalAtTime(account: Account, shard: Shard, timestampMs: number | undefined): number {
  if (timestampMs === undefined) {
    throw invalidArgument('Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP.');
  }
  const nowMs = account.clock.wallMs();
  if (timestampMs > nowMs) {
    throw invalidArgument(
      'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. ' +
        `timestampInMillis: ${timestampMs}, currentTimestampInMillis: ${nowMs}`,
    );
  }
  return shard.log.ordinalAtTime(timestampMs);
}

function ordinalOf(shard: Shard, sequenceNumber: string): number {
  const parts = parseSequenceNumber(sequenceNumber);
  if (!parts) throw invalidArgument(`StartingSequenceNumber ${sequenceNumber} is invalid.`);
  if (!shard.sequenceNumbers.isFromThisShard(parts)) {
    throw invalidArgument(
      `Invalid StartingSequenceNumber. It encodes shard index ${parts.shardIndex}, or another incarnation of it, ` +
        `while it was used in a call to a shard with ${shard.shardId}`,
    );
  }
  return Math.min(parts.ordinal, shard.log.nextOrdinal);
}

export function getRecords(account: Account, args: Arguments): Answer {
  const limit = readLimit(args);
  const { stream, shard, iterator } = resolve(account, args.text('ShardIterator'));
  if (account.enforceLimits && !shard.readLimit.admit(account.clock.monotonicMs())) {
    throw throttled(
      `Rate exceeded for shard ${shard.shardId} in stream ${stream.name} under account ${account.settings.accountId}.`,
    );
  }
  const batch = shard.log.read(iterator.ordinal, limit, MAX_ANSWER_BYTES);
  if (account.enforceLimits) shard.readLimit.charge(account.clock.monotonicMs(), batch.payloadBytes);
  account.stats.recordsOut += batch.count;
  account.stats.payloadBytesOut += batch.payloadBytes;
  const isAtEnd = !shard.isOpen && batch.nextOrdinal >= shard.log.nextOrdinal;
  return {
    members: {
      MillisBehindLatest: millisBehindLatest(account, shard, batch.nextOrdinal),
      NextShardIterator: isAtEnd ? null : issueIterator(account, stream, shard, batch.nextOrdinal),
      ...(isAtEnd && { ChildShards: stream.childrenOf(shard).map(childShardDescription) }),
    },
    records: batch,
  };
}

function readLimit(args: Arguments): number {
  const limit = args.optionalInteger('Limit', 1, Number.MAX_SAFE_INTEGER) ?? MAX_RECORDS;
  if (limit > MAX_RECORDS) throw invalidArgument(`Limit ${limit} is greater than ${MAX_RECORDS}.`);
  return limit;
}

function resolve(account: Account, text: string): { stream: Stream; shard: Shard; iterator: ShardIterator } {
  const iterator = decodeShardIterator(text);
  checkNotExpired(iterator, account.clock.monotonicMs());
  if (account.faults.isIteratorExpired(iterator)) throw expiredIterator();
  const stream = account.stream(iterator.streamName);
  const shard = stream?.createdMs === iterator.streamCreatedMs ? stream.shard(iterator.shardId) : undefined;
  if (!stream || !shard) throw noSuchShard(account, iterator.streamName, iterator.shardId);
  return { stream, shard, iterator };
}

/** The age of the oldest record not yet read; 0 at the tip. */
function millisBehindLatest(account: Account, shard: Shard, nextOrdinal: number): number {
  if (nextOrdinal >= shard.log.nextOrdinal) return 0;
  return Math.max(1, account.clock.wallMs() - shard.log.arrivalMsOf(nextOrdinal));
}

function issueIterator(account: Account, stream: Stream, shard: Shard, ordinal: number): string {
  return encodeShardIterator({
    streamName: stream.name,
    streamCreatedMs: stream.createdMs,
    shardId: shard.shardId,
    ordinal,
    issuedMs: account.clock.monotonicMs(),
    serial: account.faults.nextIteratorSerial(),
  });
}

function noSuchShard(account: Account, streamName: string, shardId: string): Error {
  return notFound(
    `Shard ${shardId} in stream ${streamName} under account ${account.settings.accountId} does not exist`,
  );
}
