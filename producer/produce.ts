/**
 * A run: makes records, puts them at a chosen rate or as fast as they are accepted, and reports what is true of those
 * that were stored. It ends after `records`, or when the signal aborts: then the calls under way end first, and the truth
 * covers exactly what was stored, also of a half sent batch.
 */
import { writeFile } from 'node:fs/promises';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { Clock } from '../runtime/clock.ts';
import { FleetError } from '../runtime/errors.ts';
import { createGenerator, type GeneratorOptions, type ProducedRecord } from './generator.ts';
import { LoginShards } from './login-shards.ts';
import { type Parcel, parcelsOf } from './parcels.ts';
import { MAX_RECORDS_PER_CALL, type PutCounts, putRecords } from './put-records.ts';
import { type Truth, TruthKeeper } from './truth.ts';

const DEFAULT_CONCURRENCY = 4;
const DEFAULT_CALL_TIMEOUT_MS = 10_000;
/** Packed records of one call: keeps it far below the size that a call may have. */
const MAX_GATHERED_RECORDS = 10_000;
/** With a rate: how long to gather records for a call. */
const GATHER_MS = 20;

export interface ProduceOptions {
  /** Must not retry by itself: createProducerClient (kinesis-client.ts) makes one. */
  readonly client: Pick<KinesisClient, 'send'> & { readonly config: Pick<KinesisClient['config'], 'maxAttempts'> };
  /** Name or ARN. */
  readonly stream: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly generator: GeneratorOptions;
  /** Records in all, copies and garbage included; Infinity = until the signal aborts. */
  readonly records: number;
  /** Undefined: as fast as the stream accepts them. */
  readonly recordsPerSecond?: number;
  /** User records packed into one Kinesis record; default 1: none are packed. */
  readonly aggregate?: number;
  /** Calls under way at once. */
  readonly concurrency?: number;
  readonly callTimeoutMs?: number;
  /** Told after each batch. */
  readonly onProgress?: (progress: ProduceProgress) => void;
  /** Where the truth is written when the run ends: JSON of the shape of `counts --json`. */
  readonly truthFile?: string;
}

export interface ProduceProgress extends Readonly<PutCounts> {
  /** Records known to be stored. */
  readonly stored: number;
  readonly elapsedMs: number;
}

export interface ProduceReport extends ProduceProgress {
  /**
   * Exact when `ambiguousRecords` is 0. Else `records`, `duplicate` and `undecodable` may be too low, by
   * `ambiguousRecords` at most; what counts identities is still exact, unless the run was cut short.
   */
  readonly truth: Truth;
  /** Copies stored by another shard than the login's first one. */
  readonly duplicatesOnOtherShards: number;
  /** The signal ended it before all records were stored. */
  readonly isCutShort: boolean;
}

/** @throws FleetError (fatal) when the stream refuses for good, or the client retries by itself */
export async function produce(options: ProduceOptions): Promise<ProduceReport> {
  if ((await options.client.config.maxAttempts()) !== 1) {
    throw new FleetError('the Kinesis client of a producer must not retry by itself: set maxAttempts to 1', {
      code: 'ProducerRetries',
      disposition: 'fatal',
    });
  }
  const startedMs = options.clock.monotonicMs();
  const counts: PutCounts = { calls: 0, retriedEntries: 0, ambiguousCalls: 0, ambiguousRecords: 0 };
  const keeper = new TruthKeeper();
  const homes = new LoginShards();
  let stored = 0;
  let duplicatesOnOtherShards = 0;
  const progress = (): ProduceProgress => {
    return { ...counts, stored, elapsedMs: options.clock.monotonicMs() - startedMs };
  };
  const onStored = ({ records }: Parcel, shardId: string): void => {
    for (const record of records) {
      stored++;
      keeper.add(record);
      if (record.login && homes.isElsewhere(record.login.index, shardId)) duplicatesOnOtherShards++;
    }
  };
  await sendAll(options, startedMs, async (batch, signal) => {
    const { client, stream, clock, callTimeoutMs = DEFAULT_CALL_TIMEOUT_MS } = options;
    const parcels = parcelsOf(batch, options.aggregate ?? 1);
    await putRecords({ client, stream, clock, signal, callTimeoutMs, counts, onStored }, parcels);
    options.onProgress?.(progress());
  });
  const report: ProduceReport = {
    ...progress(),
    truth: keeper.truth(),
    duplicatesOnOtherShards,
    isCutShort: stored < options.records,
  };
  if (options.truthFile !== undefined)
    await writeFile(options.truthFile, `${JSON.stringify(report.truth, undefined, 2)}\n`);
  return report;
}

type SendBatch = (batch: readonly ProducedRecord[], signal: AbortSignal) => Promise<void>;

/** Makes batches as they are due and keeps at most `concurrency` of them under way. The first failure ends all. */
async function sendAll(options: ProduceOptions, startedMs: number, send: SendBatch): Promise<void> {
  const { clock, records, recordsPerSecond, concurrency = DEFAULT_CONCURRENCY } = options;
  const next = createGenerator(options.generator);
  const perCall = Math.min(MAX_RECORDS_PER_CALL * (options.aggregate ?? 1), MAX_GATHERED_RECORDS);
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const underWay = new Set<Promise<void>>();
  let made = 0;
  while (made < records && !signal.aborted) {
    const elapsedMs = clock.monotonicMs() - startedMs;
    const due = recordsPerSecond === undefined ? records : Math.floor((elapsedMs * recordsPerSecond) / 1000);
    const count = Math.min(perCall, records - made, due - made);
    if (count < 1) {
      await clock.sleep(GATHER_MS, signal);
      continue;
    }
    const batch = Array.from({ length: count }, next);
    made += count;
    const sending: Promise<void> = send(batch, signal)
      .catch((error: unknown) => failure.abort(error))
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
    if (underWay.size >= concurrency) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  failure.signal.throwIfAborted();
}
