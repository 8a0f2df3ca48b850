/**
 * ListShards, DescribeStream, DescribeStreamSummary and ListStreams: what exists, page by page. A page's token keeps
 * the filter of the first page. Neighbours: shard-filter.ts selects, list-token.ts ages the tokens.
 */
import type { Account } from '../account.ts';
import { type Answer, Timestamp } from '../answer.ts';
import type { Arguments } from '../arguments.ts';
import { invalidArgument, KinesisError } from '../kinesis-error.ts';
import { decodeListToken, encodeListToken } from '../list-token.ts';
import { shardDescription } from '../shard.ts';
import { isSelected, SHARD_FILTER_TYPES, type ShardFilter } from '../shard-filter.ts';
import type { Stream } from '../stream.ts';

const SHARDS_PER_PAGE = 1000;
const MAX_SHARDS_PER_PAGE = 10_000;
const DESCRIBED_PER_PAGE = 100;

/** Where a page of ListShards starts; the members of the request that made it. */
interface ShardPage {
  streamName: string;
  streamCreatedMs: number;
  filter: ShardFilter;
  afterShardId: string | undefined;
}

export function listShards(account: Account, args: Arguments): Answer {
  const limit = args.optionalInteger('MaxResults', 1, MAX_SHARDS_PER_PAGE) ?? SHARDS_PER_PAGE;
  const page = args.has('NextToken') ? nextShardPage(account, args) : firstShardPage(account, args);
  const stream = account.stream(page.streamName);
  if (!stream || stream.createdMs !== page.streamCreatedMs) {
    throw new KinesisError('ResourceNotFoundException', `Stream ${page.streamName} not found.`);
  }
  if (stream.status === 'CREATING') {
    throw new KinesisError('ResourceInUseException', `Stream ${stream.name} is CREATING.`);
  }
  const horizonMs = stream.horizonMs(account.clock.wallMs());
  const selected = stream.shards.filter(
    (shard) => shard.shardId > (page.afterShardId ?? '') && isSelected(shard, page.filter, horizonMs),
  );
  const shards = selected.slice(0, limit);
  const next = { ...page, afterShardId: shards.at(-1)?.shardId };
  return {
    members: {
      Shards: shards.map(shardDescription),
      ...(selected.length > limit && { NextToken: encodeListToken(next, account.clock.monotonicMs()) }),
    },
  };
}

function firstShardPage(account: Account, args: Arguments): ShardPage {
  const stream = account.streamOf(args);
  checkCreationTime(stream, args.optionalTimestampMs('StreamCreationTimestamp'));
  return {
    streamName: stream.name,
    streamCreatedMs: stream.createdMs,
    filter: readFilter(args.optionalStructure('ShardFilter')),
    afterShardId: args.optionalText('ExclusiveStartShardId'),
  };
}

function checkCreationTime(stream: Stream, createdMs: number | undefined): void {
  // Clients know it to the second or to the millisecond.
  if (createdMs === undefined || Math.floor(createdMs / 1000) === Math.floor(stream.createdMs / 1000)) return;
  throw new KinesisError('ResourceNotFoundException', `Stream ${stream.name} of that creation time not found.`);
}

function nextShardPage(account: Account, args: Arguments): ShardPage {
  const excluded = ['StreamName', 'StreamARN', 'StreamCreationTimestamp', 'ExclusiveStartShardId', 'ShardFilter'];
  const given = excluded.find((name) => args.has(name));
  if (given) throw invalidArgument(`NextToken and ${given} cannot be provided together.`);
  const page = decodeListToken(args.text('NextToken'), account.clock.monotonicMs());
  if (typeof page !== 'object' || page === null || !('filter' in page)) throw invalidArgument('NextToken is invalid.');
  return page as ShardPage;
}

function readFilter(filter: Arguments | undefined): ShardFilter {
  if (!filter) return { type: 'FROM_TRIM_HORIZON' };
  const type = filter.oneOf('Type', SHARD_FILTER_TYPES);
  const timestampMs = filter.optionalTimestampMs('Timestamp');
  const shardId = filter.optionalText('ShardId');
  switch (type) {
    case 'AFTER_SHARD_ID':
      if (shardId === undefined) throw invalidArgument('ShardId must be provided for filter type AFTER_SHARD_ID.');
      return { type, shardId };
    case 'AT_TIMESTAMP':
    case 'FROM_TIMESTAMP':
      if (timestampMs === undefined) throw invalidArgument(`Timestamp must be provided for filter type ${type}.`);
      return { type, timestampMs };
    case 'AT_LATEST':
    case 'AT_TRIM_HORIZON':
    case 'FROM_TRIM_HORIZON':
      return { type };
  }
}

export function describeStream(account: Account, args: Arguments): Answer {
  const limit = args.optionalInteger('Limit', 1, MAX_SHARDS_PER_PAGE) ?? DESCRIBED_PER_PAGE;
  const after = args.optionalText('ExclusiveStartShardId') ?? '';
  const stream = account.streamOf(args);
  const shards = stream.shards.filter((shard) => shard.shardId > after);
  return {
    members: {
      StreamDescription: {
        ...streamDescription(stream),
        Shards: shards.slice(0, limit).map(shardDescription),
        HasMoreShards: shards.length > limit,
      },
    },
  };
}

export function describeStreamSummary(account: Account, args: Arguments): Answer {
  const stream = account.streamOf(args);
  return {
    members: {
      StreamDescriptionSummary: {
        ...streamDescription(stream),
        OpenShardCount: stream.openShards().length,
        ConsumerCount: 0,
        MaxRecordSizeInKiB: stream.maxRecordBytes / 1024,
      },
    },
  };
}

function streamDescription(stream: Stream): Record<string, unknown> {
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    StreamStatus: stream.status,
    StreamModeDetails: { StreamMode: stream.mode },
    StreamCreationTimestamp: new Timestamp(stream.createdMs),
    RetentionPeriodHours: stream.retentionHours,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: 'NONE',
  };
}

export function listStreams(account: Account, args: Arguments): Answer {
  const limit = args.optionalInteger('Limit', 1, MAX_SHARDS_PER_PAGE) ?? DESCRIBED_PER_PAGE;
  const after = args.has('NextToken')
    ? streamNameInToken(account, args)
    : args.optionalText('ExclusiveStartStreamName');
  const rest = account.streams.filter((stream) => stream.name > (after ?? ''));
  const page = rest.slice(0, limit);
  const hasMore = rest.length > limit;
  return {
    members: {
      StreamNames: page.map((stream) => stream.name),
      HasMoreStreams: hasMore,
      StreamSummaries: page.map((stream) => ({
        StreamName: stream.name,
        StreamARN: stream.arn,
        StreamStatus: stream.status,
        StreamModeDetails: { StreamMode: stream.mode },
        StreamCreationTimestamp: new Timestamp(stream.createdMs),
      })),
      ...(hasMore && { NextToken: encodeListToken(page.at(-1)?.name, account.clock.monotonicMs()) }),
    },
  };
}

function streamNameInToken(account: Account, args: Arguments): string {
  const name = decodeListToken(args.text('NextToken'), account.clock.monotonicMs());
  if (typeof name !== 'string') throw invalidArgument('NextToken is invalid.');
  return name;
}
