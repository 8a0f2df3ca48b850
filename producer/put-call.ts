/**
 * One PutRecords call and what its answer means. The important line is between calls that certainly stored nothing and
 * ambiguous ones, whose answer never came: those may have been applied, so sending them again may store twice.
 */
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { errorName, FleetError } from '../runtime/errors.ts';

/** One Kinesis record to put. */
export interface Entry {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  /** Decimal; undefined = that of the partition key. */
  readonly explicitHashKey: string | undefined;
  /** How many are packed in it; absent = it is one. */
  readonly userRecords?: number;
}

export type PutAnswer =
  /** Per entry the shard that stored it; undefined = it was certainly not stored. */
  | { readonly kind: 'answered'; readonly shardIds: readonly (string | undefined)[] }
  /** Nothing was stored; the same call may succeed later. */
  | { readonly kind: 'refused' }
  /** All or nothing or something in between was stored. */
  | { readonly kind: 'ambiguous' };

/** Errors of an answer that says "later", for the whole call. */
const LATER = new Set([
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'ThrottlingException',
  'KMSThrottlingException',
  'ResourceInUseException',
]);

/** Failures before anything was sent. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** @throws FleetError (fatal) when the call can never succeed */
export async function putCall(
  client: Pick<KinesisClient, 'send'>,
  stream: string,
  records: readonly Entry[],
  deadline: AbortSignal,
): Promise<PutAnswer> {
  const command = new PutRecordsCommand({
    ...(stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream }),
    Records: records.map(({ data, partitionKey, explicitHashKey }) => ({
      Data: data,
      PartitionKey: partitionKey,
      ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey }),
    })),
  });
  try {
    const { Records: answers = [] } = await client.send(command, { abortSignal: deadline });
    return { kind: 'answered', shardIds: records.map((_, i) => answers[i]?.ShardId) };
  } catch (error) {
    return classify(error, stream);
  }
}

function classify(error: unknown, stream: string): PutAnswer {
  const name = errorName(error);
  if (LATER.has(name)) return { kind: 'refused' };
  if (NOT_SENT.has(name) || NOT_SENT.has(codeOf(error))) return { kind: 'refused' };
  const status = statusOf(error);
  if (status !== undefined && status >= 400 && status < 500) {
    throw new FleetError(`records cannot be put to the stream ${stream}: ${name}`, {
      code: 'PutRefused',
      disposition: 'fatal',
      cause: error,
      fields: { stream, name },
    });
  }
  return { kind: 'ambiguous' };
}

function statusOf(error: unknown): number | undefined {
  const metadata: unknown = fieldOf(error, '$metadata');
  const status = fieldOf(metadata, 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}

function codeOf(error: unknown): string {
  const code = fieldOf(error, 'code');
  return typeof code === 'string' ? code : '';
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
