/**
 * CreateStream, DeleteStream and the settings of a stream: retention period, mode, record size. Changes that take
 * time on AWS take the account's transition time here. Neighbours: stream.ts, operations/resharding.ts.
 */
import type { Account } from '../account.ts';
import type { Answer } from '../answer.ts';
import type { Arguments } from '../arguments.ts';
import { invalidArgument, KinesisError } from '../kinesis-error.ts';
import type { Stream } from '../stream.ts';

const MODES = ['PROVISIONED', 'ON_DEMAND'] as const;
const ON_DEMAND_SHARDS = 4;
const MAX_SHARDS = 100_000;
const LEAST_RECORD_KIB = 1024;
const MOST_RECORD_KIB = 10_240;
const LEAST_RETENTION_HOURS = 24;
const MOST_RETENTION_HOURS = 8760;

export function createStream(account: Account, args: Arguments): Answer {
  const name = args.text('StreamName');
  const mode = args.optionalStructure('StreamModeDetails')?.oneOf('StreamMode', MODES) ?? 'PROVISIONED';
  const shardCount = readShardCount(args, mode);
  const maxRecordKib =
    args.optionalInteger('MaxRecordSizeInKiB', LEAST_RECORD_KIB, MOST_RECORD_KIB) ?? LEAST_RECORD_KIB;
  checkShardLimit(account, shardCount);
  account.createStream({ name, mode, shardCount, maxRecordBytes: maxRecordKib * 1024 });
  return {};
}

function readShardCount(args: Arguments, mode: (typeof MODES)[number]): number {
  if (mode === 'PROVISIONED') return args.integer('ShardCount', 1, MAX_SHARDS);
  if (args.has('ShardCount')) {
    throw new KinesisError('ValidationException', 'ShardCount is not supported for streams in ON_DEMAND mode.');
  }
  return ON_DEMAND_SHARDS;
}

/** Throws LimitExceededException when the account would have too many open shards. */
export function checkShardLimit(account: Account, addedShards: number): void {
  const { shardLimit } = account.settings;
  const shardCount = account.openShardCount;
  if (shardCount + addedShards <= shardLimit) return;
  throw new KinesisError(
    'LimitExceededException',
    `This request would exceed the shard limit for the account. Current shard count: ${shardCount}. Limit: ${shardLimit}. ` +
      `Number of additional shards that would have resulted from this request: ${addedShards}.`,
  );
}

/** The stream of the request; throws ResourceInUseException unless it is ACTIVE. */
export function activeStream(account: Account, args: Arguments): Stream {
  const stream = account.streamOf(args);
  if (stream.status === 'ACTIVE') return stream;
  throw new KinesisError(
    'ResourceInUseException',
    `Stream ${stream.name} under account ${account.settings.accountId} not ACTIVE, instead in state ${stream.status}`,
  );
}

export function deleteStream(account: Account, args: Arguments): Answer {
  const stream = account.streamOf(args);
  if (stream.status !== 'DELETING') stream.delete(account.transitionEndMs());
  return {};
}

export function increaseRetention(account: Account, args: Arguments): Answer {
  const { stream, hours } = readRetention(account, args);
  if (hours < stream.retentionHours) throw wrongDirection(stream, hours, 'shorter', 'Decrease');
  stream.retentionHours = hours;
  return {};
}

export function decreaseRetention(account: Account, args: Arguments): Answer {
  const { stream, hours } = readRetention(account, args);
  if (hours > stream.retentionHours) throw wrongDirection(stream, hours, 'longer', 'Increase');
  stream.retentionHours = hours;
  return {};
}

function readRetention(account: Account, args: Arguments): { stream: Stream; hours: number } {
  const hours = args.integer('RetentionPeriodHours', 0, Number.MAX_SAFE_INTEGER);
  const stream = activeStream(account, args);
  if (hours < LEAST_RETENTION_HOURS || hours > MOST_RETENTION_HOURS) {
    throw invalidArgument(
      `Minimum allowed retention period is ${LEAST_RETENTION_HOURS} hours, maximum ${MOST_RETENTION_HOURS} hours. ` +
        `Requested retention period (${hours} hours) is outside.`,
    );
  }
  return { stream, hours };
}

function wrongDirection(stream: Stream, hours: number, relation: string, otherCall: string): KinesisError {
  return invalidArgument(
    `Requested retention period (${hours} hours) for stream ${stream.name} can not be ${relation} than existing ` +
      `retention period (${stream.retentionHours} hours). Use ${otherCall}RetentionPeriod API.`,
  );
}

/** Takes StreamARN only. */
export function updateStreamMode(account: Account, args: Arguments): Answer {
  args.text('StreamARN');
  const details = args.optionalStructure('StreamModeDetails');
  if (!details) throw new KinesisError('ValidationException', 'StreamModeDetails must not be null');
  const mode = details.oneOf('StreamMode', MODES);
  const stream = activeStream(account, args);
  stream.update(account.transitionEndMs(), () => {
    stream.mode = mode;
  });
  return {};
}

/** Takes StreamARN only; records already put keep their size. */
export function updateMaxRecordSize(account: Account, args: Arguments): Answer {
  args.text('StreamARN');
  const kib = args.integer('MaxRecordSizeInKiB', LEAST_RECORD_KIB, MOST_RECORD_KIB);
  const stream = activeStream(account, args);
  stream.update(account.transitionEndMs(), () => {
    stream.maxRecordBytes = kib * 1024;
  });
  return {};
}
