/**
 * Sequence numbers of 56 digits with the bit layout seen on AWS: version mark, creation second of the shard, low
 * digit of its index, ordinal of the record in the shard, arrival second, index of the shard, version. Invariant:
 * they grow strictly within a shard, and a child's are greater than its parents', because a child's creation second
 * is later than its parents'. The ordinal inside finds a record without a search (shard-log.ts).
 */

/** Bits, from the low end: version 4, shard index 32, arrival second 36, unused 8, ordinal 64, digit 4, creation 36. */
const VERSION = 2n;
const INDEX_SHIFT = 4n;
const TIME_SHIFT = 36n;
const ORDINAL_SHIFT = 80n;
const DIGIT_SHIFT = 144n;
const CREATION_SHIFT = 148n;
const MARK_SHIFT = 184n;
const END_ORDINAL = 0x7fff_ffff_ffff_ffffn;
const MASK_32 = 0xffff_ffffn;
const MASK_36 = 0xf_ffff_ffffn;
const MASK_64 = 0xffff_ffff_ffff_ffffn;

export interface SequenceParts {
  shardIndex: number;
  createdSecond: number;
  /** 0 is the shard's start, 1 its first record; Infinity is the shard's end. */
  ordinal: number;
}

/** Makes the sequence numbers of one shard. */
export class SequenceNumbers {
  readonly #shardIndex: number;
  readonly #createdSecond: number;
  readonly #base: bigint;
  #second = -1;
  #baseWithTime = 0n;

  constructor(shardIndex: number, createdSecond: number) {
    this.#shardIndex = shardIndex;
    this.#createdSecond = createdSecond;
    const index = BigInt(shardIndex);
    this.#base =
      (2n << MARK_SHIFT) |
      (BigInt(createdSecond) << CREATION_SHIFT) |
      ((index & 0xfn) << DIGIT_SHIFT) |
      (index << INDEX_SHIFT) |
      VERSION;
  }

  /** The number of the record with this ordinal (1 is the first) that arrived at `arrivalMs`. */
  of(ordinal: number, arrivalMs: number): string {
    const second = Math.floor(arrivalMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#baseWithTime = this.#base | (BigInt(second) << TIME_SHIFT);
    }
    return (this.#baseWithTime | (BigInt(ordinal) << ORDINAL_SHIFT)).toString();
  }

  /** Lower than every record's number. */
  start(): string {
    return (this.#base | (BigInt(this.#createdSecond) << TIME_SHIFT)).toString();
  }

  /** Higher than every record's number. */
  end(closedMs: number): string {
    const time = BigInt(Math.floor(closedMs / 1000)) << TIME_SHIFT;
    return (this.#base | time | (END_ORDINAL << ORDINAL_SHIFT)).toString();
  }

  isFromThisShard(parts: SequenceParts): boolean {
    return parts.shardIndex === this.#shardIndex && parts.createdSecond === this.#createdSecond;
  }
}

/** The parts of a sequence number, or undefined when the text is none of this layout. */
export function parseSequenceNumber(text: string): SequenceParts | undefined {
  if (!/^[1-9]\d{55}$/.test(text)) return undefined;
  const number = BigInt(text);
  const shardIndex = (number >> INDEX_SHIFT) & MASK_32;
  const isKnownLayout =
    number >> MARK_SHIFT === 2n &&
    (number & 0xfn) === VERSION &&
    ((number >> DIGIT_SHIFT) & 0xfn) === (shardIndex & 0xfn);
  if (!isKnownLayout) return undefined;
  const ordinal = (number >> ORDINAL_SHIFT) & MASK_64;
  return {
    shardIndex: Number(shardIndex),
    createdSecond: Number((number >> CREATION_SHIFT) & MASK_36),
    ordinal: ordinal > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(ordinal),
  };
}
