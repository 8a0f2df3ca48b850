/**
 * Pages that were read and not yet handed out, and the batches cut from them. A large page goes out in slices of the
 * same bytes; only small pages that are gathered into one batch are copied. A page's bytes go back to the budget when
 * the last batch cut from it was released. No I/O, and time is an argument.
 */
import { giveBack } from './block-memory.ts';
import type { ByteGrant } from './byte-budget.ts';
import type { RecordPage } from './kinesis-reads.ts';
import { bytesOf, gatherCuts, NO_RECORDS, type PageCut, shareCut } from './page-cuts.ts';
import type { ChildShard, RawBatch } from './raw-batch.ts';

/** Pages that may wait to be handed out; a page is many batches when the shard is behind. */
const PAGES_AHEAD = 2;
/** As many bytes are a batch, however few records: large records are not copied together. */
const GATHER_BYTES = 1024 * 1024;

export interface ReadAheadSettings {
  /** Records that make a batch at once. */
  readonly bufferRecords: number;
  /** Age of the first record at which fewer make a batch. */
  readonly bufferMs: number;
  /** Most records of a batch. */
  readonly maxRecords: number;
}

interface WaitingPage {
  readonly page: RecordPage;
  readonly grant: ByteGrant;
  readonly readAtMs: number;
  /** First record not handed out. */
  next: number;
  /** Batches cut from it and not released. */
  batches: number;
}

type WaitingCut = PageCut & { readonly waiting: WaitingPage };

/** What the newest answer said about the shard's tip. */
type Tip = Pick<RecordPage, 'millisBehindLatest' | 'answeredAtMs'>;

export class ReadAhead {
  readonly #settings: ReadAheadSettings;
  readonly #waiting: WaitingPage[] = [];
  readonly #handedOut = new Map<RawBatch, readonly WaitingPage[]>();
  #records = 0;
  #bytes = 0;
  /** No record was handed out yet. */
  #isFirst: boolean = true;
  #tip: Tip = { millisBehindLatest: Number.POSITIVE_INFINITY, answeredAtMs: 0 };
  #childShards: readonly ChildShard[] | undefined;

  constructor(settings: ReadAheadSettings) {
    this.#settings = settings;
  }

  /** Records read and not handed out. */
  get records(): number {
    return this.#records;
  }

  get isEnded(): boolean {
    return this.#childShards !== undefined;
  }

  /** May another page be read already? */
  get hasRoom(): boolean {
    return this.#waiting.length < PAGES_AHEAD || !this.#isBatchFull();
  }

  /** @param first record of the page to begin with. A page without records only moves the tip. */
  push(page: RecordPage, first: number, grant: ByteGrant, nowMs: number): void {
    this.#tip = page;
    if (first >= page.count) {
      grant.free();
      return;
    }
    const waiting = { page, grant, readAtMs: nowMs, next: first, batches: 0 };
    this.#waiting.push(waiting);
    this.#records += page.count - first;
    this.#bytes += bytesOf(restOf(waiting));
  }

  /** No more pages will come: the batch with the last record says so. */
  end(childShards: readonly ChildShard[]): void {
    this.#childShards = childShards;
  }

  /** Milliseconds until a batch is due, 0 = now (as the first one is); infinite while there is nothing. */
  dueInMs(nowMs: number): number {
    if (this.isEnded || this.#isBatchFull() || (this.#isFirst && this.#records > 0)) return 0;
    const first = this.#waiting[0];
    return first ? Math.max(0, first.readAtMs + this.#settings.bufferMs - nowMs) : Number.POSITIVE_INFINITY;
  }

  /** The next batch, of what is there; empty when nothing is. */
  take(): RawBatch {
    const cuts = this.#cut();
    if (cuts.length > 0) this.#isFirst = false;
    const last = cuts.at(-1);
    const isShardEnd = this.isEnded && this.#waiting.length === 0;
    const batch: RawBatch = {
      ...columnsOf(cuts),
      ...(last
        ? tipOf(last)
        : { millisBehindLatest: this.#tip.millisBehindLatest, answeredAtMs: this.#tip.answeredAtMs }),
      isShardEnd,
      childShards: isShardEnd ? (this.#childShards ?? []) : [],
    };
    this.#handedOut.set(
      batch,
      cuts.map((cut) => cut.waiting),
    );
    return batch;
  }

  release(batch: RawBatch): void {
    for (const waiting of this.#handedOut.get(batch) ?? []) {
      waiting.batches--;
      if (waiting.batches > 0 || waiting.next < waiting.page.count) continue;
      giveBack(waiting.page.bytes);
      waiting.grant.free();
    }
    this.#handedOut.delete(batch);
  }

  /** Forgets all; the budget's share takes the bytes back when it is closed. */
  clear(): void {
    this.#waiting.length = 0;
    this.#handedOut.clear();
    this.#records = 0;
    this.#bytes = 0;
  }

  #isBatchFull(): boolean {
    return this.#records >= this.#settings.bufferRecords || this.#bytes >= GATHER_BYTES;
  }

  #cut(): WaitingCut[] {
    const cuts: WaitingCut[] = [];
    let count = 0;
    let bytes = 0;
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const cut = { ...restOf(first), count: Math.min(restOf(first).count, this.#settings.maxRecords - count) };
      const isEnough = count >= this.#settings.bufferRecords || bytes + bytesOf(cut) > GATHER_BYTES;
      if (cut.count === 0 || (cuts.length > 0 && isEnough)) break;
      cuts.push({ ...cut, waiting: first });
      count += cut.count;
      bytes += bytesOf(cut);
      first.next += cut.count;
      first.batches++;
      if (first.next < first.page.count) break;
      this.#waiting.shift();
    }
    this.#records -= count;
    this.#bytes -= bytes;
    return cuts;
  }
}

function restOf({ page, next }: WaitingPage): PageCut {
  return { page, from: next, count: page.count - next };
}

function columnsOf(cuts: readonly PageCut[]) {
  const [first] = cuts;
  if (!first) return NO_RECORDS;
  return cuts.length === 1 ? shareCut(first) : gatherCuts(cuts);
}

/** While records of the same answer still wait, a batch does not reach the tip, whatever the answer said. */
function tipOf({ page, from, count }: PageCut): Tip {
  const isLastOfPage = from + count === page.count;
  return {
    millisBehindLatest: isLastOfPage ? page.millisBehindLatest : Math.max(1, page.millisBehindLatest),
    answeredAtMs: page.answeredAtMs,
  };
}
