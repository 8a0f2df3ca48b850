/**
 * Where to take an iterator, at the start and after it was lost. A start after a position reads that very record again
 * (AT_SEQUENCE_NUMBER): it may be an aggregate that was left in the middle, and its absence is the one proof that
 * retention has trimmed records that were never read.
 */
import { type Position, positionOf, START, sequenceNumberOf, subSequenceNumberOf } from '../../lease/position.ts';
import type { IteratorStart, RecordPage } from './kinesis-reads.ts';
import type { SourceStart } from './shard-source.ts';

/** First bytes of a record packed by the producer library. */
const AGGREGATE_MAGIC = [0xf3, 0x89, 0x9a, 0xc2];

export interface Resumption {
  /** The record of the page to begin with. */
  readonly first: number;
  /** The start, when its record is gone: records after it may be, too. */
  readonly trimmedAfter?: Position;
}

const FROM_THE_FIRST: Resumption = { first: 0 };

export class ResumePoint {
  readonly #start: SourceStart;
  #lastSequence: string | undefined;

  constructor(start: SourceStart) {
    // Zeros are no record's number: the ledger's way to say "before everything".
    this.#start = start.kind === 'AFTER' && start.position === START ? { kind: 'TRIM_HORIZON' } : start;
  }

  /** Padded, of the last record read. */
  get lastSequence(): string | undefined {
    return this.#lastSequence;
  }

  iteratorStart(): IteratorStart {
    if (this.#lastSequence !== undefined) {
      return { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: sequenceNumberOf(positionOf(this.#lastSequence)) };
    }
    switch (this.#start.kind) {
      case 'AFTER':
        return { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: sequenceNumberOf(this.#start.position) };
      case 'AT_TIMESTAMP':
        return { type: 'AT_TIMESTAMP', timestampMs: this.#start.timestampMs };
      case 'TRIM_HORIZON':
        return { type: 'TRIM_HORIZON' };
    }
  }

  /** Will the next iterator be one that any stream of this name would give? */
  get isAtSentinel(): boolean {
    return this.#lastSequence === undefined && this.#start.kind !== 'AFTER';
  }

  /** Would this page, the next one, begin after records that are gone? */
  isTrimmedBefore(page: RecordPage): boolean {
    if (page.count === 0 || this.#lastSequence !== undefined || this.#start.kind !== 'AFTER') return false;
    return resume(page, this.#start).trimmedAfter !== undefined;
  }

  /** Moves past the page. */
  advance(page: RecordPage): Resumption {
    if (page.count === 0) return FROM_THE_FIRST;
    const isFirstPage = this.#lastSequence === undefined;
    this.#lastSequence = page.sequenceNumbers[page.count - 1]!;
    return isFirstPage && this.#start.kind === 'AFTER' ? resume(page, this.#start) : FROM_THE_FIRST;
  }
}

function resume(page: RecordPage, { position }: Extract<SourceStart, { kind: 'AFTER' }>): Resumption {
  const first = positionOf(page.sequenceNumbers[0]!);
  if (first !== positionOf(sequenceNumberOf(position)))
    return first > position ? { first: 0, trimmedAfter: position } : FROM_THE_FIRST;
  const isDone = subSequenceNumberOf(position) === 0 && !isAggregate(page);
  return { first: isDone ? 1 : 0 };
}

function isAggregate({ bytes, starts, ends }: RecordPage): boolean {
  return (
    ends[0]! - starts[0]! > AGGREGATE_MAGIC.length && AGGREGATE_MAGIC.every((byte, i) => bytes[starts[0]! + i] === byte)
  );
}
