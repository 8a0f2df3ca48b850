/**
 * The loop that reads a shard ahead of its consumer: room, pace, bytes, one read, again. It ends at the shard's end,
 * when the shard is found gone, or when it is closed, never by an error of Kinesis. A page enters the read-ahead in the same step in which the resume
 * point moves past it, so whatever fails, the next iterator begins right after the last record that was taken.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { AnswerSize } from './answer-size.ts';
import type { BudgetShare, ByteGrant } from './byte-budget.ts';
import { callWithin } from './deadline-call.ts';
import type { KinesisReads, RecordPage } from './kinesis-reads.ts';
import type { ShardPacing } from './pacing.ts';
import { type PlaceWatch, ShardGone, StreamRecreated } from './place-watch.ts';
import type { ReadAhead } from './read-ahead.ts';
import { classifyReadError } from './read-errors.ts';
import type { ReadHealth } from './read-health.ts';
import type { ResumePoint } from './resume-point.ts';
import type { ShardEndWatch } from './shard-end.ts';
import type { Turnstile } from './turnstile.ts';

/** What the reader of one shard works with. */
export interface ReaderParts {
  readonly shardId: string;
  readonly reads: KinesisReads;
  readonly clock: Clock;
  readonly callDeadlineMs: number;
  readonly share: BudgetShare;
  readonly pacing: ShardPacing;
  readonly answerSize: AnswerSize;
  readonly resumePoint: ResumePoint;
  readonly endWatch: ShardEndWatch;
  readonly placeWatch: PlaceWatch;
  readonly health: ReadHealth;
  readonly readAhead: ReadAhead;
  /** Opened by the consumer: it took a batch. */
  readonly taken: Turnstile;
  /** Opened by the reader: there is news in the read-ahead. */
  readonly news: Turnstile;
}

export class ShardReader {
  readonly #parts: ReaderParts;
  #shardIterator: string | undefined;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** Resolves at the shard's end, or soon after the signal aborted. @throws ShardGone */
  async run(signal: AbortSignal): Promise<void> {
    const { readAhead, clock, pacing, taken } = this.#parts;
    while (!signal.aborted && !readAhead.isEnded) {
      if (!readAhead.hasRoom) {
        await taken.pass(Number.POSITIVE_INFINITY, signal);
        continue;
      }
      const waitMs = pacing.waitMs(clock.monotonicMs());
      if (waitMs > 0) {
        await clock.sleep(waitMs, signal);
        continue;
      }
      await this.#readOnce(signal);
    }
  }

  async #readOnce(signal: AbortSignal): Promise<void> {
    const { share, answerSize, pacing, clock, health } = this.#parts;
    const limit = answerSize.limit(share.fairBytes);
    const grant = await share.reserve(answerSize.expectedBytes(limit), signal);
    if (!grant) return;
    try {
      const page = await this.#takePage(limit, grant, signal);
      if (signal.aborted) return;
      await this.#lookForEnd(page);
      // Emulators that always say 0 still fill the answer when there is more.
      pacing.succeeded(page.millisBehindLatest > 0 || page.count >= limit);
      health.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      const kind = health.failed(await this.#explained(error));
      // An iterator that was refused is not tried twice; the others stay good for five minutes.
      if (kind !== 'throttled' && kind !== 'transient') this.#shardIterator = undefined;
      pacing.failed(kind, clock.monotonicMs());
    }
  }

  /** The same error, or what really lies behind it. @throws ShardGone */
  async #explained(error: unknown): Promise<unknown> {
    if (classifyReadError(error).kind !== 'unknownPlace' || error instanceof StreamRecreated) return error;
    const { placeWatch, shardId } = this.#parts;
    let isGone: boolean;
    try {
      isGone = await placeWatch.isGone();
    } catch (found) {
      return found instanceof StreamRecreated ? found : error;
    }
    if (isGone) throw new ShardGone(shardId);
    return error;
  }

  /** Reads a page into the read-ahead, all of it or (when this throws) nothing. */
  async #takePage(limit: number, grant: ByteGrant, signal: AbortSignal): Promise<RecordPage> {
    try {
      const page = await this.#getRecords(limit, signal);
      const { resumePoint, placeWatch } = this.#parts;
      const horizonMs = resumePoint.isTrimmedBefore(page) ? await placeWatch.horizonMs(page.answeredAtMs) : undefined;
      if (!signal.aborted) this.#keepPage(page, grant, horizonMs);
      return page;
    } catch (error) {
      grant.free();
      throw error;
    }
  }

  async #getRecords(limit: number, signal: AbortSignal): Promise<RecordPage> {
    const { reads, shardId, resumePoint, pacing, clock, callDeadlineMs, health, placeWatch } = this.#parts;
    if (this.#shardIterator === undefined && resumePoint.isAtSentinel) await placeWatch.requireSameStream();
    this.#shardIterator ??= await callWithin(clock, callDeadlineMs, signal, (deadline) =>
      reads.getShardIterator(shardId, resumePoint.iteratorStart(), deadline),
    );
    const shardIterator = this.#shardIterator;
    health.hasIterator();
    pacing.started(clock.monotonicMs());
    return callWithin(clock, callDeadlineMs, signal, (deadline) => reads.getRecords(shardIterator, limit, deadline));
  }

  #keepPage(page: RecordPage, grant: ByteGrant, horizonMs: number | undefined): void {
    const { answerSize, resumePoint, readAhead, health, clock, news } = this.#parts;
    const { first, trimmedAfter } = resumePoint.advance(page);
    if (trimmedAfter !== undefined) {
      health.recordsTrimmed({ after: trimmedAfter, oldestLeftMs: page.arrivalsMs[0]!, horizonMs });
    }
    grant.resize(answerSize.measure(page));
    readAhead.push(page, first, grant, clock.monotonicMs());
    this.#shardIterator = page.nextShardIterator;
    if (page.nextShardIterator === undefined && page.childShards.length > 0) readAhead.end(page.childShards);
    news.open();
  }

  async #lookForEnd(page: RecordPage): Promise<void> {
    const { readAhead, endWatch, resumePoint, news } = this.#parts;
    if (readAhead.isEnded) return;
    const end = await endWatch.afterPage(page, resumePoint.lastSequence);
    if (!end) return;
    readAhead.end(end.childShards);
    news.open();
  }
}
