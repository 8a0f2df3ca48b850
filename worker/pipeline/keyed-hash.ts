/**
 * The keyed 64-bit hash that identities, slots and members of uniques follow from. A value is written field by field,
 * each text behind its length, so that fields never run together. xxHash64 alone has collisions that hold for every
 * seed, and anyone can make them; so the bytes are covered with a secret pad first, which leaves accidental collisions
 * as rare as before and makes prepared ones miss.
 */
import type { XXHashAPI } from 'xxhash-wasm';

const PAD_BYTES = 1024;
const CACHED_VIEWS = 512;

/** What a hash is for; each use has a seed of its own. */
export type HashUse = 'identity' | 'bucket' | 'field' | 'name';

export class KeyedHash {
  readonly #xx: XXHashAPI;
  readonly #seeds: Readonly<Record<HashUse, bigint>>;
  readonly #pad: Uint8Array;
  #buffer: Uint8Array = new Uint8Array(4096);
  /** Views of the buffer by length, so that a short value costs no new view. */
  #views: (Uint8Array | undefined)[] = [];
  #length = 0;
  readonly #digest = new BigUint64Array(1);
  readonly #halves = new Uint32Array(this.#digest.buffer);
  readonly #double = new Float64Array(1);
  readonly #doubleBytes = new Uint8Array(this.#double.buffer);

  /** @param seedHex 32 hex digits, secret, the same for all workers of a ledger */
  constructor(xx: XXHashAPI, seedHex: string) {
    if (!/^[0-9a-f]{32}$/.test(seedHex)) throw new RangeError('a hash seed is 32 hex digits in lower case');
    const first = BigInt(`0x${seedHex.slice(0, 16)}`);
    const second = BigInt(`0x${seedHex.slice(16)}`);
    const derive = (text: string): bigint => xx.h64(`${text}:${seedHex}`, first) ^ second;
    this.#xx = xx;
    this.#seeds = { identity: first, bucket: derive('bucket'), field: derive('field'), name: derive('name') };
    const words = BigUint64Array.from({ length: PAD_BYTES / 8 }, (_, i) => derive(`pad ${i}`));
    this.#pad = new Uint8Array(words.buffer);
  }

  begin(): void {
    this.#length = 0;
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (this.#buffer.length - this.#length < size + 4) this.#grow(size + 4);
    const buffer = this.#buffer;
    const pad = this.#pad;
    let at = this.#length;
    for (let shift = 0; shift < 32; shift += 8) {
      buffer[at] = (size >>> shift) ^ pad[at & (PAD_BYTES - 1)]!;
      at++;
    }
    for (let from = start; from < end; from++) {
      buffer[at] = bytes[from]! ^ pad[at & (PAD_BYTES - 1)]!;
      at++;
    }
    this.#length = at;
  }

  instant(seconds: number, nanos: number): void {
    this.#number(seconds);
    this.#number(nanos);
  }

  /** Hashes what was written since begin; `low` and `high` then have the 64 bits. What was written stays. */
  finish(use: HashUse): void {
    this.#digest[0] = this.#xx.h64Raw(this.#view(this.#length), this.#seeds[use]);
  }

  get low(): number {
    return this.#halves[0]!;
  }

  get high(): number {
    return this.#halves[1]!;
  }

  /** 52 of the 64 bits, as an integer. */
  get bits52(): number {
    return (this.#halves[1]! & 0xfffff) * 0x1_0000_0000 + this.#halves[0]!;
  }

  #number(value: number): void {
    if (this.#buffer.length - this.#length < 8) this.#grow(8);
    this.#double[0] = value;
    let at = this.#length;
    for (let i = 0; i < 8; i++) {
      this.#buffer[at] = this.#doubleBytes[i]! ^ this.#pad[at & (PAD_BYTES - 1)]!;
      at++;
    }
    this.#length = at;
  }

  #view(length: number): Uint8Array {
    if (length >= CACHED_VIEWS) return this.#buffer.subarray(0, length);
    const known = this.#views[length];
    if (known) return known;
    const view = this.#buffer.subarray(0, length);
    this.#views[length] = view;
    return view;
  }

  #grow(room: number): void {
    const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + room));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
    this.#views = [];
  }
}
