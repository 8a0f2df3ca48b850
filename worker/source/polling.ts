/**
 * ShardSource by GetRecords. A reader (shard-reader.ts) fills the read-ahead in the background; `next` hands batches
 * out of it. The two meet in the read-ahead alone and wake each other through turnstiles.
 */
import type { Random } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { FleetError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { AnswerSize } from './answer-size.ts';
import type { BudgetShare, ByteBudget } from './byte-budget.ts';
import type { KinesisReads } from './kinesis-reads.ts';
import { ShardPacing } from './pacing.ts';
import { PlaceWatch, ShardGone } from './place-watch.ts';
import type { RawBatch } from './raw-batch.ts';
import { ReadAhead, type ReadAheadSettings } from './read-ahead.ts';
import { ReadHealth } from './read-health.ts';
import { ResumePoint } from './resume-point.ts';
import { ShardEndWatch } from './shard-end.ts';
import type { ShardListing } from './shard-listing.ts';
import { ShardReader } from './shard-reader.ts';
import type { ShardSource, SourceStart } from './shard-source.ts';
import type { SourceStatus } from './source-status.ts';
import { Turnstile } from './turnstile.ts';

export interface PollingSettings extends ReadAheadSettings {
  /** Between the starts of two reads when caught up. */
  readonly pollIntervalMs: number;
  /** Each call of Kinesis ends after this long. */
  readonly callDeadlineMs: number;
}

export interface PollingOptions {
  readonly shardId: string;
  readonly start: SourceStart;
  readonly creationEpochSeconds?: number | undefined;
  readonly reads: KinesisReads;
  readonly listing: ShardListing;
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly settings: PollingSettings;
}

/** `next` answers at least this often. */
const NEXT_WITHIN_MS = 1_000;

/** Begins to read at once. */
export function openPollingSource(options: PollingOptions): ShardSource {
  return new PollingSource(options);
}

class PollingSource implements ShardSource {
  readonly #clock: Clock;
  readonly #share: BudgetShare;
  readonly #health: ReadHealth;
  readonly #readAhead: ReadAhead;
  readonly #taken: Turnstile;
  readonly #news: Turnstile;
  readonly #closing = new AbortController();
  #defect: FleetError | undefined;

  constructor(options: PollingOptions) {
    const { shardId, start, creationEpochSeconds, reads, listing, budget, clock, logger, random, settings } = options;
    this.#clock = clock;
    this.#share = budget.openShare();
    this.#health = new ReadHealth(clock, logger);
    this.#readAhead = new ReadAhead(settings);
    this.#taken = new Turnstile(clock);
    this.#news = new Turnstile(clock);
    const reader = new ShardReader({
      shardId,
      reads,
      clock,
      callDeadlineMs: settings.callDeadlineMs,
      share: this.#share,
      pacing: new ShardPacing(settings.pollIntervalMs, random),
      answerSize: new AnswerSize(),
      resumePoint: new ResumePoint(start),
      endWatch: new ShardEndWatch(shardId, listing, clock),
      placeWatch: new PlaceWatch(shardId, creationEpochSeconds, listing),
      health: this.#health,
      readAhead: this.#readAhead,
      taken: this.#taken,
      news: this.#news,
    });
    reader.run(this.#closing.signal).catch((error: unknown) => this.#fail(error));
  }

  async next(signal: AbortSignal): Promise<RawBatch | undefined> {
    const answerByMs = this.#clock.monotonicMs() + NEXT_WITHIN_MS;
    if (signal.aborted) return undefined;
    while (!this.#closing.signal.aborted) {
      if (this.#defect && !this.#hasMore(this.#defect)) throw this.#defect;
      if (signal.aborted) return this.#readAhead.records > 0 ? this.#take() : undefined;
      const nowMs = this.#clock.monotonicMs();
      const waitMs = Math.min(this.#readAhead.dueInMs(nowMs), answerByMs - nowMs);
      if (waitMs <= 0) return this.#take();
      await this.#news.pass(waitMs, signal);
    }
    return undefined;
  }

  release(batch: RawBatch): void {
    this.#readAhead.release(batch);
  }

  status(): SourceStatus {
    return this.#health.status(this.#readAhead.records);
  }

  close(): void {
    this.#closing.abort();
    this.#readAhead.clear();
    this.#share.close();
    this.#news.open();
  }

  /** What was read of a shard before it was gone is handed out as ever. */
  #hasMore(defect: FleetError): boolean {
    return defect instanceof ShardGone && this.#readAhead.records > 0;
  }

  #take(): RawBatch {
    const batch = this.#readAhead.take();
    this.#taken.open();
    return batch;
  }

  /** The reader never ends by an error of Kinesis: this one is ours, and another worker may not have it. */
  #fail(cause: unknown): void {
    this.#defect =
      cause instanceof ShardGone
        ? cause
        : new FleetError('shard reader failed', { code: 'ShardReaderFailed', disposition: 'release', cause });
    this.#news.open();
  }
}
