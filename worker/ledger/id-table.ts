/**
 * Finds further copies of an identity within a batch: a set of integers below 2^52 that is emptied by raising a stamp.
 * The integers are hashes already, so their upper bits are the hash.
 */

/** Takes the upper 20 of 52 bits. */
const UPPER_BITS = 2 ** -32;
const MIN_CAPACITY = 4_096;

export class IdTable {
  #ids = new Float64Array(MIN_CAPACITY);
  #stamps = new Uint32Array(MIN_CAPACITY);
  #stamp = 0;

  /** Empties the table, and makes room for `count` ids. */
  begin(count: number): void {
    this.#stamp += 1;
    if (this.#ids.length >= 2 * count && this.#stamp < 0xffffffff) return;
    const capacity = Math.max(MIN_CAPACITY, 2 ** Math.ceil(Math.log2(2 * count)));
    this.#ids = new Float64Array(capacity);
    this.#stamps = new Uint32Array(capacity);
    this.#stamp = 1;
  }

  /** False when the id was there. */
  add(id: number): boolean {
    const mask = this.#ids.length - 1;
    let at = Math.trunc(id * UPPER_BITS) & mask;
    while (this.#stamps[at] === this.#stamp) {
      if (this.#ids[at] === id) return false;
      at = (at + 1) & mask;
    }
    this.#stamps[at] = this.#stamp;
    this.#ids[at] = id;
    return true;
  }
}
