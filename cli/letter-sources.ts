/**
 * Where the dead letters of a fleet are, as the commands need it: the ledger's Redis, or a Kinesis stream of their own,
 * which is read from its beginning and from which nothing can be taken out.
 */
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { redisAddressOf } from '../lease/config.ts';
import { createLedgerConnection } from '../ledger/redis/connection.ts';
import { systemClock } from '../runtime/clock.ts';
import type { DeadLetter } from '../worker/sink/dead-letter.ts';
import { LetterJoiner } from '../worker/sink/letter-parts.ts';
import { RedisLetterStore, type StoredTotals } from '../worker/sink/redis-letter-store.ts';
import { createKinesisClient } from '../worker/source/kinesis-client.ts';
import type { CliSettings } from './config.ts';
import { fleetPipeline } from './fleet-ledger.ts';

export interface LetterSource {
  /** Undefined where nobody counts them. */
  totals(): Promise<StoredTotals | undefined>;
  letters(): AsyncGenerator<DeadLetter, void, undefined>;
  /** @returns how many were taken out */
  remove(letters: readonly DeadLetter[]): Promise<number>;
}

/** Between two reads of one shard: Kinesis allows five a second. */
const READ_PAUSE_MS = 210;

export async function withLetters<T>(settings: CliSettings, use: (source: LetterSource) => Promise<T>): Promise<T> {
  return settings.deadLetterStream === undefined
    ? withRedis(settings, use)
    : withStream(settings.deadLetterStream, use);
}

async function withRedis<T>(settings: CliSettings, use: (source: LetterSource) => Promise<T>): Promise<T> {
  const { pipeline, spec } = fleetPipeline(settings);
  const connection = createLedgerConnection(redisAddressOf(settings));
  try {
    await connection.ready();
    return await use(new RedisLetterStore(connection, spec.name, pipeline.name));
  } finally {
    connection.close();
  }
}

async function withStream<T>(stream: string, use: (source: LetterSource) => Promise<T>): Promise<T> {
  const client = createKinesisClient({ maxAttempts: 5 });
  try {
    return await use({
      totals: () => Promise.resolve(undefined),
      letters: () => readStream(client, stream),
      remove: () => Promise.resolve(0),
    });
  } finally {
    client.destroy();
  }
}

async function* readStream(client: KinesisClient, stream: string): AsyncGenerator<DeadLetter, void, undefined> {
  const target = stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
  for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
    const page = await client.send(new ListShardsCommand(token === undefined ? target : { NextToken: token }));
    for (const { ShardId } of page.Shards ?? []) yield* readShard(client, target, ShardId!);
    token = page.NextToken;
  }
}

/** All parts of a letter are in one shard, unless the stream was split in between; then it is passed over. */
async function* readShard(
  client: KinesisClient,
  target: { StreamARN: string } | { StreamName: string },
  shardId: string,
): AsyncGenerator<DeadLetter, void, undefined> {
  const start = { ...target, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' as const };
  let iterator = (await client.send(new GetShardIteratorCommand(start))).ShardIterator;
  const joiner = new LetterJoiner();
  while (iterator !== undefined) {
    const answer = await client.send(new GetRecordsCommand({ ShardIterator: iterator }));
    for (const { Data } of answer.Records ?? []) {
      const letter = Data && joiner.add(Buffer.from(Data).toString('utf8'));
      if (letter) yield letter;
    }
    if (answer.MillisBehindLatest === 0 && (answer.Records ?? []).length === 0) return;
    iterator = answer.NextShardIterator;
    await systemClock.sleep(READ_PAUSE_MS);
  }
}
