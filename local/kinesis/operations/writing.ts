/**
 * PutRecord and PutRecords. A record is either appended and gets its sequence number, or refused and leaves no trace;
 * PutRecords refuses entry by entry. Work per entry is one hash and one append: no promise, no BigInt but in the
 * sequence number. Neighbours: stream.ts routes, shard-log.ts stores, rate-limit.ts refuses.
 */
import type { Account } from '../account.ts';
import type { Answer } from '../answer.ts';
import type { Arguments } from '../arguments.ts';
import { MAX_HASH_KEY } from '../hash-key.ts';
import { invalidArgument, KinesisError, notFound, throttled } from '../kinesis-error.ts';
import type { Shard } from '../shard.ts';
import type { PutEntry } from '../shard-log.ts';
import type { Stream } from '../stream.ts';

const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_ENTRIES = 500;
const MAX_PARTITION_KEY_LENGTH = 256;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const HASH_KEY = /^(0|[1-9]\d{0,38})$/;

interface RoutedEntry extends PutEntry {
  explicitHashKey: string | undefined;
}

export function putRecord(account: Account, args: Arguments): Answer {
  const stream = writableStream(account, args);
  const names = ['Data', 'PartitionKey', 'ExplicitHashKey'];
  const entry = readEntry(Object.fromEntries(names.map((name) => [name, args.raw(name)])), stream);
  const shard = stream.route(entry.partitionKey, entry.explicitHashKey);
  if (isThrottled(account, shard, entry)) throw throttled(throttlingMessage(account, stream, shard));
  const sequenceNumber = append(account, shard, entry, account.clock.wallMs());
  return { members: { ShardId: shard.shardId, SequenceNumber: sequenceNumber, EncryptionType: 'NONE' } };
}

export function putRecords(account: Account, args: Arguments): Answer {
  const stream = writableStream(account, args);
  const entries = args.list('Records', 1, MAX_ENTRIES).map((entry) => readEntry(entry, stream));
  const requestBytes = entries.reduce((sum, entry) => sum + entry.dataBytes + entry.partitionKey.length, 0);
  if (requestBytes > MAX_REQUEST_BYTES) throw invalidArgument('Records size exceeds 10 MB limit');
  const { hasEntryFaults } = account.faults;
  const nowMs = account.clock.wallMs();
  let failedCount = 0;
  const results = entries.map((entry) => {
    const shard = stream.route(entry.partitionKey, entry.explicitHashKey);
    const fault = hasEntryFaults ? account.faults.entryFault(stream.name, shard.shardId) : undefined;
    const isRefused = fault === undefined && isThrottled(account, shard, entry);
    if (fault || isRefused) {
      failedCount += 1;
      return fault ? entryError(fault.name, fault.message) : throttledEntry(account, stream, shard);
    }
    return { SequenceNumber: append(account, shard, entry, nowMs), ShardId: shard.shardId };
  });
  return { members: { FailedRecordCount: failedCount, Records: results, EncryptionType: 'NONE' } };
}

function writableStream(account: Account, args: Arguments): Stream {
  const stream = account.streamOf(args);
  if (stream.status === 'CREATING') {
    throw notFound(`Stream ${stream.name} under account ${account.settings.accountId} not found.`);
  }
  return stream;
}

function readEntry(value: unknown, stream: Stream): RoutedEntry {
  if (typeof value !== 'object' || value === null) {
    throw new KinesisError('SerializationException', 'An entry of Records can not be converted to a structure');
  }
  const entry = value as { Data?: unknown; PartitionKey?: unknown; ExplicitHashKey?: unknown };
  const { Data: data, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey } = entry;
  if (data === undefined || data === null) throw invalidEntry('data', 'Member must not be null');
  if (partitionKey === undefined || partitionKey === null)
    throw invalidEntry('partitionKey', 'Member must not be null');
  if (typeof data !== 'string' || data.length % 4 !== 0 || !BASE64.test(data)) {
    throw new KinesisError('SerializationException', 'Data can not be converted to a Blob');
  }
  if (typeof partitionKey !== 'string' || partitionKey.length < 1 || partitionKey.length > MAX_PARTITION_KEY_LENGTH) {
    throw invalidEntry('partitionKey', 'Member must have length between 1 and 256');
  }
  const dataBytes = decodedLength(data);
  if (dataBytes + partitionKey.length > stream.maxRecordBytes) {
    throw invalidEntry('data', `Member must have length less than or equal to ${stream.maxRecordBytes}`);
  }
  return { data, dataBytes, partitionKey, explicitHashKey: readHashKey(explicitHashKey) };
}

function readHashKey(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !HASH_KEY.test(value)) {
    throw invalidEntry('explicitHashKey', 'Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})');
  }
  if (BigInt(value) > MAX_HASH_KEY) {
    throw invalidArgument(
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${value}`,
    );
  }
  return value;
}

function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

function append(account: Account, shard: Shard, entry: PutEntry, nowMs: number): string {
  const bytesBefore = shard.log.bytes;
  const sequenceNumber = shard.log.append(entry, nowMs);
  account.retention.noteAppended(shard.log.bytes - bytesBefore);
  account.stats.recordsIn += 1;
  account.stats.payloadBytesIn += entry.dataBytes;
  return sequenceNumber;
}

function isThrottled(account: Account, shard: Shard, entry: PutEntry): boolean {
  if (!account.enforceLimits) return false;
  return !shard.writeLimit.admit(account.clock.monotonicMs(), entry.dataBytes + entry.partitionKey.length);
}

function throttledEntry(account: Account, stream: Stream, shard: Shard): Record<string, string> {
  return entryError('ProvisionedThroughputExceededException', throttlingMessage(account, stream, shard));
}

function throttlingMessage(account: Account, stream: Stream, shard: Shard): string {
  return `Rate exceeded for shard ${shard.shardId} in stream ${stream.name} under account ${account.settings.accountId}.`;
}

function entryError(name: string, message: string): Record<string, string> {
  return { ErrorCode: name, ErrorMessage: message };
}

function invalidEntry(member: string, constraint: string): KinesisError {
  return new KinesisError(
    'ValidationException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}
