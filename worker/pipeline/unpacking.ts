/**
 * User records of a raw batch as columns that fill up: stage 2's working state while a batch has aggregates. Kinesis
 * records go in one by one, and columns are taken out whenever they are full, also in the middle of an aggregate.
 */
import type { RawBatch } from '../source/raw-batch.ts';
import { AggregateReader } from './aggregate-reader.ts';
import { AggregateKeys, type HashRange } from './hash-range.ts';
import type { UserRecords } from './user-records.ts';

/** As many as one commit takes. */
const CAPACITY = 1_000;

export class Unpacking {
  readonly #raw: RawBatch;
  readonly #ownRange: HashRange | undefined;
  readonly #reader = new AggregateReader();
  /** The Kinesis record in work: how many user records are left in it, which is next, and the first that is wanted. */
  #record = 0;
  #left = 0;
  #next = 0;
  #firstWanted = 0;
  #isAggregate: boolean = false;
  #keys: AggregateKeys | undefined;
  /** What was unpacked and not taken. */
  #columns = new Columns();

  constructor(raw: RawBatch, ownRange: HashRange | undefined) {
    this.#raw = raw;
    this.#ownRange = ownRange;
  }

  /** Goes on with Kinesis record `index`, from this sub-sequence number. */
  begin(index: number, firstWanted: number): void {
    const { bytes, starts, ends } = this.#raw;
    this.#keys = this.#ownRange && new AggregateKeys(bytes, this.#ownRange);
    const count = this.#reader.open(bytes, starts[index]!, ends[index]!, this.#keys);
    this.#isAggregate = count > 0;
    this.#record = index;
    this.#left = this.#isAggregate ? count : 1;
    this.#next = 0;
    this.#firstWanted = firstWanted;
  }

  /** Unpacks the record in work into columns. False when the columns were full first: take them, and ask again. */
  fill(): boolean {
    while (this.#left > 0) {
      if (this.#columns.count === CAPACITY) return false;
      this.#left -= 1;
      const sub = this.#next++;
      if (this.#isAggregate) this.#addUserRecord(sub);
      else if (sub >= this.#firstWanted) this.#add(sub, this.#raw.starts[this.#record]!, this.#raw.ends[this.#record]!);
    }
    return true;
  }

  /** What is unpacked so far. */
  take(): UserRecords {
    const records = this.#columns.records(this.#raw.bytes);
    this.#columns = new Columns();
    return records;
  }

  #addUserRecord(sub: number): void {
    this.#reader.next();
    if (sub < this.#firstWanted) return;
    if (this.#keys?.isOutside(this.#reader)) this.#columns.outsideRange += 1;
    else this.#add(sub, this.#reader.dataStart, this.#reader.dataEnd);
  }

  #add(sub: number, start: number, end: number): void {
    const { sequenceNumbers, arrivalsMs } = this.#raw;
    this.#columns.add(sequenceNumbers[this.#record]!, sub, start, end, arrivalsMs[this.#record]!);
  }
}

class Columns {
  count = 0;
  outsideRange = 0;
  readonly #starts = new Uint32Array(CAPACITY);
  readonly #ends = new Uint32Array(CAPACITY);
  readonly #subSequenceNumbers = new Uint32Array(CAPACITY);
  readonly #arrivalsMs = new Float64Array(CAPACITY);
  readonly #sequenceNumbers: string[] = [];

  add(sequenceNumber: string, sub: number, start: number, end: number, arrivalMs: number): void {
    const at = this.count++;
    this.#starts[at] = start;
    this.#ends[at] = end;
    this.#subSequenceNumbers[at] = sub;
    this.#arrivalsMs[at] = arrivalMs;
    this.#sequenceNumbers.push(sequenceNumber);
  }

  records(bytes: Uint8Array): UserRecords {
    const { count } = this;
    return {
      count,
      bytes,
      starts: this.#starts.subarray(0, count),
      ends: this.#ends.subarray(0, count),
      positions: {
        sequenceNumbers: this.#sequenceNumbers,
        subSequenceNumbers: this.#subSequenceNumbers.subarray(0, count),
      },
      arrivalsMs: this.#arrivalsMs.subarray(0, count),
      outsideRange: this.outsideRange,
    };
  }
}
