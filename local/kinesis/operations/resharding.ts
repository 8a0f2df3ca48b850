/**
 * SplitShard, MergeShards and UpdateShardCount: checks the arguments now, changes the shards when the stream's UPDATING
 * time is over. Nothing but the clock runs in between: an UPDATING stream refuses a second change. Neighbour: reshard.ts.
 */
import type { Account } from '../account.ts';
import type { Answer } from '../answer.ts';
import type { Arguments } from '../arguments.ts';
import { invalidArgument, KinesisError, notFound } from '../kinesis-error.ts';
import { areAdjacent, mergeShards, scaleUniformly, splitShard } from '../reshard.ts';
import type { Shard } from '../shard.ts';
import type { Stream } from '../stream.ts';
import { activeStream, checkShardLimit } from './stream-settings.ts';

const DAY_MS = 86_400_000;
const UPDATES_PER_DAY = 10;

export function splitOneShard(account: Account, args: Arguments): Answer {
  const shardId = args.text('ShardToSplit');
  const newStart = BigInt(args.text('NewStartingHashKey'));
  const stream = provisionedStream(account, args);
  const shard = openShard(account, stream, shardId);
  const { start, end } = shard.range;
  if (newStart <= start + 1n || newStart >= end) {
    throw invalidArgument(
      `NewStartingHashKey ${newStart} used in SplitShard() on shard ${shardId} in stream ${stream.name} is not both ` +
        `greater than one plus the shard's StartingHashKey ${start} and less than the shard's EndingHashKey ${end}.`,
    );
  }
  checkShardLimit(account, 1);
  stream.update(account.transitionEndMs(), (atMs) => splitShard(stream, shard, newStart, atMs));
  return {};
}

export function mergeTwoShards(account: Account, args: Arguments): Answer {
  const shardId = args.text('ShardToMerge');
  const adjacentId = args.text('AdjacentShardToMerge');
  const stream = provisionedStream(account, args);
  const shard = openShard(account, stream, shardId);
  const adjacent = openShard(account, stream, adjacentId);
  if (!areAdjacent(shard, adjacent)) {
    throw invalidArgument(
      `Shards ${shardId} and ${adjacentId} in stream ${stream.name} are not an adjacent pair of shards`,
    );
  }
  stream.update(account.transitionEndMs(), (atMs) => mergeShards(stream, shard, adjacent, atMs));
  return {};
}

export function updateShardCount(account: Account, args: Arguments): Answer {
  const targetCount = args.integer('TargetShardCount', 1, Number.MAX_SAFE_INTEGER);
  args.oneOf('ScalingType', ['UNIFORM_SCALING']);
  const stream = provisionedStream(account, args);
  const currentCount = stream.openShards().length;
  checkShardLimit(account, targetCount - currentCount);
  if (account.enforceLimits) {
    if (targetCount > currentCount * 2 || targetCount * 2 < currentCount) {
      throw invalidArgument(
        `UpdateShardCount cannot scale to more than double or less than half of the current open shard count. ` +
          `Current open shard count: ${currentCount} Target shard count: ${targetCount}`,
      );
    }
    checkUpdatesPerDay(account, stream);
  }
  stream.update(account.transitionEndMs(), (atMs) => scaleUniformly(stream, targetCount, atMs));
  return {
    members: {
      StreamName: stream.name,
      StreamARN: stream.arn,
      CurrentShardCount: currentCount,
      TargetShardCount: targetCount,
    },
  };
}

function checkUpdatesPerDay(account: Account, stream: Stream): void {
  const nowMs = account.clock.wallMs();
  const recent = stream.shardCountUpdatesMs.filter((updatedMs) => updatedMs > nowMs - DAY_MS);
  if (recent.length >= UPDATES_PER_DAY) {
    throw new KinesisError(
      'LimitExceededException',
      `Stream ${stream.name} was scaled ${UPDATES_PER_DAY} times in 24 hours.`,
    );
  }
  stream.shardCountUpdatesMs.push(nowMs);
}

function provisionedStream(account: Account, args: Arguments): Stream {
  const stream = activeStream(account, args);
  if (stream.mode === 'PROVISIONED') return stream;
  throw new KinesisError(
    'ValidationException',
    `Stream ${stream.name} is in ON_DEMAND mode: its shards are not yours to change.`,
  );
}

function openShard(account: Account, stream: Stream, shardId: string): Shard {
  const shard = stream.shard(shardId);
  const place = `in stream ${stream.name} under account ${account.settings.accountId}`;
  if (!shard) throw notFound(`Could not find shard ${shardId} ${place}.`);
  if (shard.isOpen) return shard;
  throw invalidArgument(
    `Shard ${shardId} ${place} has already been merged or split, and thus is not eligible for merging or splitting.`,
  );
}
