/**
 * Seeded random numbers (mulberry32). The generator for item i of a stream of numbers follows from seed, stream and i
 * alone, so that any earlier login can be made again instead of being remembered.
 */
export class Random {
  #state: number;

  constructor(seed: number, stream: number, index: number) {
    const high = Math.floor(index / 0x1_0000_0000);
    this.#state = mix(mix(mix(seed ^ 0x5bd1e995, stream), index | 0), high);
  }

  /** An integer of 32 bits. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return (word ^ (word >>> 14)) >>> 0;
  }

  /** At least 0, below 1. */
  fraction(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** An integer of at least 0, below `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.bits() & 0xff);
  }
}

function mix(a: number, b: number): number {
  let word = Math.imul(a ^ b ^ 0x9e3779b9, 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) | 0;
}
