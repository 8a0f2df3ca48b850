/**
 * Kinesis over the AWS SDK. GetRecords takes a short cut: signing, endpoint, connections and errors stay the SDK's, but
 * the body of a good answer goes straight into columns (record-page.ts). The short cut is one middleware inside the
 * SDK's deserialiser, which then finds nothing left to do.
 */
import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  type GetRecordsCommandInput,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type GetShardIteratorInput,
  type KinesisClient,
  ListShardsCommand,
  type Shard,
} from '@aws-sdk/client-kinesis';
import { type Clock, parseIsoTime } from '../../runtime/clock.ts';
import { FleetError } from '../../runtime/errors.ts';
import { giveBack } from './block-memory.ts';
import type { IteratorStart, KinesisReads, ListedShard, RecordPage } from './kinesis-reads.ts';
import { decodeRecordPage } from './record-page.ts';

const HOUR_MS = 3_600_000;

/** The name or ARN of a stream, as the API's arguments take it. */
export function streamArguments(stream: string): { StreamARN: string } | { StreamName: string } {
  return stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
}

/** @param stream name or ARN. */
export function createSdkReads(client: KinesisClient, stream: string, clock: Clock): KinesisReads {
  const target = streamArguments(stream);
  const arn = 'StreamARN' in target ? target : {};
  return {
    async getShardIterator(shardId, start, abortSignal) {
      const command = new GetShardIteratorCommand({ ...target, ShardId: shardId, ...iteratorArguments(start) });
      const { ShardIterator } = await client.send(command, { abortSignal });
      if (!ShardIterator)
        throw new FleetError('no iterator in the answer', { code: 'NoIterator', disposition: 'retry' });
      return ShardIterator;
    },
    getRecords(shardIterator, limit, abortSignal) {
      const command = new GetRecordsCommand({ ...arn, ShardIterator: shardIterator, Limit: limit });
      return sendGetRecords(client, command, abortSignal, clock);
    },
    async describeStream(abortSignal) {
      const answer = await client.send(new DescribeStreamSummaryCommand(target), { abortSignal });
      const { StreamCreationTimestamp: created, RetentionPeriodHours: hours } = answer.StreamDescriptionSummary ?? {};
      if (!created || hours === undefined) {
        throw new FleetError('no stream in the answer', { code: 'NoStream', disposition: 'retry' });
      }
      return { creationEpochSeconds: Math.floor(created.getTime() / 1_000), retentionMs: hours * HOUR_MS };
    },
    async listShards(abortSignal) {
      const shards: ListedShard[] = [];
      let token: string | undefined;
      do {
        const command = new ListShardsCommand(token === undefined ? target : { NextToken: token });
        const answer = await client.send(command, { abortSignal });
        shards.push(...(answer.Shards ?? []).map(listedShardOf));
        token = answer.NextToken;
      } while (token);
      return shards;
    },
  };
}

async function sendGetRecords(
  client: KinesisClient,
  command: GetRecordsCommand,
  abortSignal: AbortSignal,
  clock: Clock,
): Promise<RecordPage> {
  let page: RecordPage | undefined;
  command.middlewareStack.addRelativeTo(
    (next: Handler): Handler =>
      async (args) => {
        const result = await next(args);
        const response = result.response as HttpAnswer;
        if (response.statusCode !== 200) return result;
        const contentType = response.headers['content-type'] ?? '';
        const body = await collect(response.body, response.headers['content-length']);
        page = decodeRecordPage(body, contentType, serverTimeMs(response.headers.date) ?? clock.wallMs());
        giveBack(body);
        response.body = NOTHING;
        return result;
      },
    { name: 'recordColumns', relation: 'after', toMiddleware: 'deserializerMiddleware' },
  );
  await client.send(command, { abortSignal });
  if (!page) throw new FleetError('no records in the answer', { code: 'NoRecords', disposition: 'retry' });
  return page;
}

/** The SDK's middleware, as far as it is used here. */
type Handler = (args: {
  input: GetRecordsCommandInput;
  request: unknown;
}) => Promise<{ response: unknown; output: GetRecordsCommandOutput }>;

/** What the SDK's HTTP handler answers with. */
interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  body: AsyncIterable<Uint8Array> | Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Into one block when its length is known: an answer may have 14 MiB, and pieces and whole together would be twice that. */
async function collect(body: HttpAnswer['body'], lengthText: string | undefined): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const length = Number(lengthText);
  if (!(length > 0)) return concatenated(body);
  const block = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  for await (const chunk of body) {
    block.set(chunk, filled);
    filled += chunk.length;
  }
  return block.subarray(0, filled);
}

async function concatenated(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Of a Date header, `Sat, 21 Nov 2026 10:18:14 GMT`; whole seconds, so never ahead of the server's clock. */
function serverTimeMs(date: string | undefined): number | undefined {
  const [, day, month, year, time] = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/.exec(date ?? '') ?? [];
  const number = String(MONTHS.indexOf(month ?? '') + 1).padStart(2, '0');
  return day === undefined ? undefined : parseIsoTime(`${year}-${number}-${day}T${time}Z`);
}

function iteratorArguments(start: IteratorStart) {
  switch (start.type) {
    case 'TRIM_HORIZON':
      return { ShardIteratorType: start.type };
    case 'AT_TIMESTAMP':
      return { ShardIteratorType: start.type, Timestamp: wireTime(start.timestampMs) };
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER':
      return { ShardIteratorType: start.type, StartingSequenceNumber: start.sequenceNumber };
  }
}

/** A time as it goes over the wire, in seconds; the SDK passes numbers on as they are. */
function wireTime(wallMs: number): GetShardIteratorInput['Timestamp'] {
  return (wallMs / 1000) as unknown as GetShardIteratorInput['Timestamp'];
}

function listedShardOf(shard: Shard): ListedShard {
  return {
    shardId: shard.ShardId ?? '',
    parentShards: [shard.ParentShardId, shard.AdjacentParentShardId].filter((id) => id !== undefined),
    startingHashKey: shard.HashKeyRange?.StartingHashKey ?? '',
    endingHashKey: shard.HashKeyRange?.EndingHashKey ?? '',
    startingSequenceNumber: shard.SequenceNumberRange?.StartingSequenceNumber ?? '0',
    endingSequenceNumber: shard.SequenceNumberRange?.EndingSequenceNumber,
  };
}
