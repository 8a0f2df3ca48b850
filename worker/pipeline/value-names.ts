/**
 * Distinct values of a text column within a batch, as indexes into their names: a text is only made for a value that is
 * new, not per record. Names go into Redis keys and counters, so a long value is replaced by '#' and its hash; a value
 * that begins with '#' is too, so that nobody can write another value's name.
 */
import type { KeyedHash } from './keyed-hash.ts';

const MAX_NAME_BYTES = 64;
const HASH_SIGN = 0x23;
const FIRST_TABLE_SIZE = 256;

export class ValueNames {
  readonly #hash: KeyedHash;
  #table: Int32Array;
  #hashes: number[] = [];
  #sources: Uint8Array[] = [];
  #starts: number[] = [];
  #ends: number[] = [];
  #names: string[] = [];

  constructor(hash: KeyedHash) {
    this.#hash = hash;
    this.#table = new Int32Array(FIRST_TABLE_SIZE).fill(-1);
  }

  /** By index. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The index of the value bytes[start, end); equal bytes have equal indexes. The bytes must stay as they are. */
  indexOf(bytes: Uint8Array, start: number, end: number): number {
    const hash = quickHash(bytes, start, end);
    const mask = this.#table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const index = this.#table[at]!;
      if (index < 0) return this.#add(at, hash, bytes, start, end);
      if (this.#hashes[index] === hash && this.#isEqual(index, bytes, start, end)) return index;
    }
  }

  #isEqual(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const source = this.#sources[index]!;
    const offset = this.#starts[index]! - start;
    if (this.#ends[index]! - offset !== end) return false;
    for (let at = start; at < end; at++) {
      if (source[at + offset] !== bytes[at]) return false;
    }
    return true;
  }

  #add(at: number, hash: number, bytes: Uint8Array, start: number, end: number): number {
    const index = this.#names.push(this.#nameOf(bytes, start, end)) - 1;
    this.#hashes.push(hash);
    this.#sources.push(bytes);
    this.#starts.push(start);
    this.#ends.push(end);
    this.#table[at] = index;
    if (this.#names.length * 2 > this.#table.length) this.#growTable();
    return index;
  }

  #growTable(): void {
    const larger = new Int32Array(this.#table.length * 4).fill(-1);
    this.#hashes.forEach((hash, index) => {
      let at = hash & (larger.length - 1);
      while (larger[at]! >= 0) at = (at + 1) & (larger.length - 1);
      larger[at] = index;
    });
    this.#table = larger;
  }

  #nameOf(bytes: Uint8Array, start: number, end: number): string {
    if (end - start <= MAX_NAME_BYTES && bytes[start] !== HASH_SIGN) {
      return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
    }
    this.#hash.begin();
    this.#hash.text(bytes, start, end);
    this.#hash.finish('name');
    return `#${hex32(this.#hash.high)}${hex32(this.#hash.low)}`;
  }
}

function quickHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}
