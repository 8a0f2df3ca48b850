/**
 * Opens the sources of one process: they share the client, the listing of shards and the byte budget.
 */
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { Random } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ByteBudget } from './byte-budget.ts';
import { openPollingSource, type PollingSettings } from './polling.ts';
import { createSdkReads } from './sdk-reads.ts';
import { ShardListing } from './shard-listing.ts';
import type { OpenSource } from './shard-source.ts';

export const DEFAULT_SOURCE_SETTINGS: PollingSettings = {
  pollIntervalMs: 250,
  bufferRecords: 100,
  bufferMs: 200,
  maxRecords: 1_000,
  callDeadlineMs: 10_000,
};

export interface OpenSourceOptions {
  /** Of kinesis-client.ts. */
  readonly client: KinesisClient;
  /** Name or ARN. */
  readonly stream: string;
  readonly clock: Clock;
  readonly budget: ByteBudget;
  readonly logger: Logger;
  readonly settings?: Partial<PollingSettings>;
  readonly random?: Random;
}

export function createOpenSource(options: OpenSourceOptions): OpenSource {
  const { client, stream, clock, budget, logger, random = Math.random } = options;
  const settings = { ...DEFAULT_SOURCE_SETTINGS, ...options.settings };
  const reads = createSdkReads(client, stream, clock);
  const listing = new ShardListing(reads, clock);
  return (shardId, start, creationEpochSeconds) =>
    openPollingSource({
      shardId,
      start,
      creationEpochSeconds,
      reads,
      listing,
      budget,
      clock,
      logger: logger.child({ shard: shardId }),
      random,
      settings,
    });
}
