/**
 * Whether a user record of an aggregate belongs to the shard that the aggregate came in. A producer that does not know
 * of a split yet packs records of both halves together; it sees where the aggregate went and sends those of the other
 * half again. Only a pipeline that says `aggregates: ownRange` leaves them out here, and only what is surely outside:
 * a record whose key cannot be told stays.
 */
import { hash } from 'node:crypto';
import type { Lease } from '../../lease/lease.ts';
import { type AggregateReader, type KeyListener, NO_INDEX } from './aggregate-reader.ts';

/** Hash keys of a shard, both ends inclusive. */
export interface HashRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Undefined when there is nothing to leave out: a shard without parents was never half of another. */
export function narrowedRange(
  lease: Pick<Lease, 'parents' | 'startingHashKey' | 'endingHashKey'>,
): HashRange | undefined {
  const { parents, startingHashKey, endingHashKey } = lease;
  if (parents.length === 0 || startingHashKey === undefined || endingHashKey === undefined) return undefined;
  return { first: BigInt(startingHashKey), last: BigInt(endingHashKey) };
}

const DECIMAL = /^\d{1,39}$/;

type Verdict = 'inside' | 'outside';

/** One key table: where its keys lie, and what was found of those that were asked for. */
class KeyTable {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #verdicts = new Map<number, Verdict>();

  add(start: number, end: number): void {
    this.#starts.push(start);
    this.#ends.push(end);
  }

  verdict(index: number, judge: (start: number, end: number) => Verdict): Verdict {
    const known = this.#verdicts.get(index);
    if (known !== undefined) return known;
    const [start, end] = [this.#starts[index], this.#ends[index]];
    const verdict = start === undefined || end === undefined ? 'inside' : judge(start, end);
    this.#verdicts.set(index, verdict);
    return verdict;
  }
}

/** The keys of one aggregate against a range. */
export class AggregateKeys implements KeyListener {
  readonly #bytes: Uint8Array;
  readonly #range: HashRange;
  readonly #partitionKeys = new KeyTable();
  readonly #explicitHashKeys = new KeyTable();

  constructor(bytes: Uint8Array, range: HashRange) {
    this.#bytes = bytes;
    this.#range = range;
  }

  partitionKey(start: number, end: number): void {
    this.#partitionKeys.add(start, end);
  }

  explicitHashKey(start: number, end: number): void {
    this.#explicitHashKeys.add(start, end);
  }

  /** Of the user record that the reader stands at. The explicit hash key decides where there is one. */
  isOutside(reader: Pick<AggregateReader, 'partitionKeyIndex' | 'explicitHashKeyIndex'>): boolean {
    const { partitionKeyIndex, explicitHashKeyIndex } = reader;
    const verdict =
      explicitHashKeyIndex === NO_INDEX
        ? this.#partitionKeys.verdict(partitionKeyIndex, (start, end) => this.#ofPartitionKey(start, end))
        : this.#explicitHashKeys.verdict(explicitHashKeyIndex, (start, end) => this.#ofExplicitKey(start, end));
    return verdict === 'outside';
  }

  /** Kinesis's rule: the hash key of a partition key is its MD5. */
  #ofPartitionKey(start: number, end: number): Verdict {
    return this.#verdict(BigInt(`0x${hash('md5', this.#bytes.subarray(start, end), 'hex')}`));
  }

  #ofExplicitKey(start: number, end: number): Verdict {
    const text = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString('latin1');
    return DECIMAL.test(text) ? this.#verdict(BigInt(text)) : 'inside';
  }

  #verdict(hashKey: bigint): Verdict {
    return hashKey < this.#range.first || hashKey > this.#range.last ? 'outside' : 'inside';
  }
}
