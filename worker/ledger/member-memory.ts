/**
 * Members of a unique that this consumer sent since its open and that were acknowledged: they need not go again (if
 * Redis lost them, the chain breaks and this memory is dropped with the rest). Bounded: when full it starts anew, and
 * members simply go once more. Also makes the members of one commit distinct.
 */

/** Two thirds of a MiB at most per shard, and only where so many members come. */
const MAX_MEMBERS = 32_768;
const MAX_SETS = 32_768;
const MIN_CAPACITY = 1_024;
const SPREAD = 0x9e3779b1;

export class MemberMemory {
  /** Set number + 1 of each place, 0 = empty. */
  #places = new Uint16Array(MIN_CAPACITY);
  #lower = new Uint32Array(MIN_CAPACITY);
  #upper = new Uint32Array(MIN_CAPACITY);
  #size = 0;
  readonly #numbers = new Map<string, number>();

  /** Makes room for `count` more; forgets everything when there would be too many. */
  begin(count: number): void {
    if (this.#size + count > MAX_MEMBERS || this.#numbers.size > MAX_SETS) this.#reset(MIN_CAPACITY);
    let capacity = this.#places.length;
    while (capacity < 2 * (this.#size + count)) capacity *= 2;
    if (capacity > this.#places.length) this.#grow(capacity);
  }

  /** A short number for a set's name, the same until everything is forgotten. */
  numberOf(set: string): number {
    const known = this.#numbers.get(set);
    if (known !== undefined) return known;
    const number = this.#numbers.size + 1;
    this.#numbers.set(set, number);
    return number;
  }

  /** False when the member (8 bytes at `at`) is known in that set. */
  add(set: number, bytes: Uint8Array, at: number): boolean {
    const lower = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    const upper = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    return this.#insert(set, lower >>> 0, upper >>> 0);
  }

  #insert(set: number, lower: number, upper: number): boolean {
    const mask = this.#places.length - 1;
    let at = (Math.imul(lower ^ Math.imul(set, SPREAD), SPREAD) >>> 12) & mask;
    for (let place = this.#places[at]!; place !== 0; place = this.#places[at]!) {
      if (place === set && this.#lower[at] === lower && this.#upper[at] === upper) return false;
      at = (at + 1) & mask;
    }
    this.#places[at] = set;
    this.#lower[at] = lower;
    this.#upper[at] = upper;
    this.#size += 1;
    return true;
  }

  #grow(capacity: number): void {
    const [places, lower, upper] = [this.#places, this.#lower, this.#upper];
    const numbers = new Map(this.#numbers);
    this.#reset(capacity);
    for (const [name, number] of numbers) this.#numbers.set(name, number);
    for (let i = 0; i < places.length; i++) {
      if (places[i] !== 0) this.#insert(places[i]!, lower[i]!, upper[i]!);
    }
  }

  #reset(capacity: number): void {
    this.#places = new Uint16Array(capacity);
    this.#lower = new Uint32Array(capacity);
    this.#upper = new Uint32Array(capacity);
    this.#size = 0;
    this.#numbers.clear();
  }
}
