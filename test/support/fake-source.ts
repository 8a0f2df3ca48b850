/**
 * A ShardSource that hands out the batches a test scripts, one per `next`. With nothing left it answers with empty
 * batches each second, as the real one does, and at its end with the shard end.
 */
import { positionOf, SEQUENCE_NUMBER_DIGITS } from '../../lease/position.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { RawBatch } from '../../worker/source/raw-batch.ts';
import type { OpenSource, ShardSource, SourceStart } from '../../worker/source/shard-source.ts';
import type { SourceStatus } from '../../worker/source/source-status.ts';
import { Turnstile } from '../../worker/source/turnstile.ts';

export interface ScriptedRecord {
  /** Decimal text; padded here. */
  readonly sequenceNumber: string;
  readonly payload: string | Uint8Array;
  readonly arrivalMs?: number;
}

/** A batch of these records, at the tip unless overridden. */
export function rawBatchOf(records: readonly ScriptedRecord[], overrides: Partial<RawBatch> = {}): RawBatch {
  const payloads = records.map(({ payload }) => (typeof payload === 'string' ? Buffer.from(payload) : payload));
  const starts = new Uint32Array(records.length);
  const ends = new Uint32Array(records.length);
  let offset = 0;
  for (const [i, payload] of payloads.entries()) {
    starts[i] = offset;
    offset += payload.length;
    ends[i] = offset;
  }
  return {
    count: records.length,
    bytes: Buffer.concat(payloads),
    starts,
    ends,
    sequenceNumbers: records.map(({ sequenceNumber }) => sequenceNumber.padStart(SEQUENCE_NUMBER_DIGITS, '0')),
    arrivalsMs: Float64Array.from(records, ({ arrivalMs }) => arrivalMs ?? 0),
    millisBehindLatest: 0,
    answeredAtMs: 0,
    isShardEnd: false,
    childShards: [],
    ...overrides,
  };
}

export class FakeSource implements ShardSource {
  readonly shardId: string;
  readonly start: SourceStart;
  readonly released: RawBatch[] = [];
  isClosed = false;
  currentStatus: SourceStatus = {
    reads: 0,
    throttled: 0,
    failures: 0,
    lastError: undefined,
    condition: undefined,
    degradedSinceMs: undefined,
    trimmed: 0,
    recordsAhead: 0,
  };
  readonly #clock: Clock;
  readonly #news: Turnstile;
  readonly #script: (RawBatch | Error)[] = [];

  constructor(clock: Clock, shardId: string, start: SourceStart) {
    this.#clock = clock;
    this.#news = new Turnstile(clock);
    this.shardId = shardId;
    this.start = start;
  }

  /** Batches (handed out in order) or errors (thrown by `next`). */
  push(...script: (RawBatch | Error)[]): void {
    this.#script.push(...script);
    this.#news.open();
  }

  async next(signal: AbortSignal): Promise<RawBatch | undefined> {
    const answerByMs = this.#clock.monotonicMs() + 1_000;
    while (!signal.aborted && !this.isClosed) {
      const next = this.#script.shift();
      if (next instanceof Error) throw next;
      if (next) return this.#startsAfter(next);
      const waitMs = answerByMs - this.#clock.monotonicMs();
      if (waitMs <= 0) return rawBatchOf([], { answeredAtMs: this.#clock.wallMs() });
      await this.#news.pass(waitMs, signal);
    }
    return undefined;
  }

  release(batch: RawBatch): void {
    if (this.released.includes(batch)) throw new Error('a batch was released twice');
    this.released.push(batch);
  }

  status(): SourceStatus {
    return this.currentStatus;
  }

  close(): void {
    this.isClosed = true;
    this.#news.open();
  }

  /** A scripted batch that lies before the start would be a mistake of the test. */
  #startsAfter(batch: RawBatch): RawBatch {
    const [first] = batch.sequenceNumbers;
    const { start } = this;
    if (first !== undefined && start.kind === 'AFTER' && positionOf(first, 99_999_999) < start.position) {
      throw new Error('the script has records before the start');
    }
    return batch;
  }
}

/** An OpenSource, and the sources that it opened, newest last. */
export function createFakeSources(clock: Clock): { readonly open: OpenSource; readonly opened: FakeSource[] } {
  const opened: FakeSource[] = [];
  return {
    opened,
    open: (shardId, start) => {
      const source = new FakeSource(clock, shardId, start);
      opened.push(source);
      return source;
    },
  };
}
