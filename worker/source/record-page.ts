/**
 * Decodes the body of a GetRecords answer into columns, in one pass and without an object per record of ours. The SDK's
 * own deserialiser walks a schema per member, at three times the cost. JSON is the form spoken today; `decodeRecordPage`
 * chooses by content type, so that another form (CBOR) is one more case there.
 */
import { SEQUENCE_NUMBER_DIGITS } from '../../lease/position.ts';
import { FleetError } from '../../runtime/errors.ts';
import type { RecordPage } from './kinesis-reads.ts';

interface JsonRecord {
  readonly Data: string;
  readonly SequenceNumber: string;
  /** Seconds since 1970, with a fraction. */
  readonly ApproximateArrivalTimestamp?: number;
}

interface JsonChildShard {
  readonly ShardId?: string;
  readonly ParentShards?: readonly string[];
  readonly HashKeyRange?: { readonly StartingHashKey?: string; readonly EndingHashKey?: string };
}

interface JsonAnswer {
  readonly Records?: readonly JsonRecord[];
  readonly NextShardIterator?: string | null;
  readonly MillisBehindLatest?: number;
  readonly ChildShards?: readonly JsonChildShard[];
}

/**
 * @param answeredAtMs Kinesis's clock, milliseconds since 1970.
 * @throws FleetError (retry) when the body is not what its content type says, for instance cut short.
 */
export function decodeRecordPage(body: Buffer, contentType: string, answeredAtMs: number): RecordPage {
  if (!contentType.startsWith('application/x-amz-json')) throw undecodable(`content type ${contentType}`);
  try {
    return columnsOf(JSON.parse(body.toString('utf8')) as JsonAnswer, answeredAtMs);
  } catch (error) {
    throw undecodable('the body is not a GetRecords answer', error);
  }
}

function columnsOf(answer: JsonAnswer, answeredAtMs: number): RecordPage {
  const records = answer.Records ?? [];
  const count = records.length;
  let capacity = 0;
  for (const record of records) capacity += decodedBytes(record.Data);
  // Not from Node's shared pool: a small batch must not keep a foreign slab alive, nor be counted without it.
  const bytes = Buffer.allocUnsafeSlow(capacity);
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  const arrivalsMs = new Float64Array(count);
  const sequenceNumbers = new Array<string>(count);
  let offset = 0;
  for (let i = 0; i < count; i++) {
    const record = records[i]!;
    starts[i] = offset;
    offset += bytes.write(record.Data, offset, 'base64');
    ends[i] = offset;
    sequenceNumbers[i] = padded(record.SequenceNumber);
    arrivalsMs[i] = Math.round((record.ApproximateArrivalTimestamp ?? 0) * 1000);
  }
  return {
    count,
    bytes,
    starts,
    ends,
    sequenceNumbers,
    arrivalsMs,
    millisBehindLatest: answer.MillisBehindLatest ?? 0,
    answeredAtMs,
    nextShardIterator: answer.NextShardIterator ?? undefined,
    childShards: (answer.ChildShards ?? []).map(childShardOf),
  };
}

function padded(sequenceNumber: string): string {
  return sequenceNumber.length === SEQUENCE_NUMBER_DIGITS
    ? sequenceNumber
    : sequenceNumber.padStart(SEQUENCE_NUMBER_DIGITS, '0');
}

function decodedBytes(base64: string): number {
  const length = base64.length;
  if (base64.charCodeAt(length - 1) !== PADDING) return Math.floor((length * 3) / 4);
  return (length * 3) / 4 - (base64.charCodeAt(length - 2) === PADDING ? 2 : 1);
}

const PADDING = 61;

function childShardOf(shard: JsonChildShard): RecordPage['childShards'][number] {
  return {
    shardId: shard.ShardId ?? '',
    parentShards: shard.ParentShards ?? [],
    startingHashKey: shard.HashKeyRange?.StartingHashKey ?? '',
    endingHashKey: shard.HashKeyRange?.EndingHashKey ?? '',
  };
}

function undecodable(reason: string, cause?: unknown): FleetError {
  return new FleetError('GetRecords answer cannot be decoded', {
    code: 'UndecodableAnswer',
    disposition: 'retry',
    cause,
    fields: { reason },
  });
}
