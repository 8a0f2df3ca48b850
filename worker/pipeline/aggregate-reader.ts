/**
 * Reads one aggregated record, the way the Kinesis Producer Library packs user records: magic bytes, a protobuf
 * message, the MD5 digest of that message (proto/kpl). All or nothing: a record is an aggregate only if the digest is
 * right, the message is well formed to its last byte and has a user record; else it is the plain record it came as. Two
 * passes over the bytes, nothing copied and nothing kept per user record, so that no aggregate outgrows its bytes.
 */
import { hash } from 'node:crypto';
import protobuf from 'protobufjs';
import { LENGTH_DELIMITED, skipField, VARINT } from './wire.ts';

const MAGIC = [0xf3, 0x89, 0x9a, 0xc2] as const;
const DIGEST_BYTES = 16;
const PARTITION_KEYS = 1;
const EXPLICIT_HASH_KEYS = 2;
const RECORDS = 3;
const PARTITION_KEY_INDEX = 1;
const EXPLICIT_HASH_KEY_INDEX = 2;
const DATA = 3;

/** What a user record names of a key table when it names nothing. */
export const NO_INDEX = -1;

/** Told the place of each key of the tables, in their order; all of them before the first user record is given out. */
export interface KeyListener {
  partitionKey(start: number, end: number): void;
  explicitHashKey(start: number, end: number): void;
}

export class AggregateReader {
  /** The user record that `next` found: its payload's range, and its keys' places in the tables. */
  dataStart = 0;
  dataEnd = 0;
  partitionKeyIndex = NO_INDEX;
  explicitHashKeyIndex = NO_INDEX;
  readonly #reader = new protobuf.Reader(new Uint8Array(0));
  #bodyEnd = 0;

  /**
   * Begins with the record at bytes[start, end).
   * @returns how many user records it has; 0 = it is no aggregate.
   */
  open(bytes: Uint8Array, start: number, end: number, keys?: KeyListener): number {
    if (!hasMagic(bytes, start, end)) return 0;
    const bodyStart = start + MAGIC.length;
    this.#bodyEnd = end - DIGEST_BYTES;
    if (!hasDigest(bytes, bodyStart, this.#bodyEnd)) return 0;
    this.#reader.buf = bytes;
    this.#rewind(bodyStart);
    const count = this.#countRecords(keys);
    this.#rewind(bodyStart);
    return count;
  }

  /** To the next user record, in the order of the aggregate. False after the last. */
  next(): boolean {
    const reader = this.#reader;
    while (reader.pos < this.#bodyEnd) {
      const tag = reader.tag();
      if (tag >>> 3 === RECORDS) {
        this.#readRecord();
        return true;
      }
      skipField(reader, tag);
    }
    return false;
  }

  #rewind(at: number): void {
    this.#reader.pos = at;
    this.#reader.len = this.#bodyEnd;
  }

  #countRecords(keys: KeyListener | undefined): number {
    const reader = this.#reader;
    let count = 0;
    try {
      while (reader.pos < this.#bodyEnd) {
        const tag = reader.tag();
        const field = tag >>> 3;
        if (field < PARTITION_KEYS || field > RECORDS) skipField(reader, tag);
        else if ((tag & 7) !== LENGTH_DELIMITED) return 0;
        else if (field === RECORDS) {
          this.#readRecord();
          count += 1;
        } else this.#readKey(field, keys);
      }
    } catch {
      return 0;
    }
    return count;
  }

  #readKey(field: number, keys: KeyListener | undefined): void {
    const size = this.#reader.uint32();
    const start = this.#reader.pos;
    this.#reader.skip(size);
    if (field === EXPLICIT_HASH_KEYS) keys?.explicitHashKey(start, start + size);
    else keys?.partitionKey(start, start + size);
  }

  /** Both required fields must be there; of a field that is there twice the last one counts. */
  #readRecord(): void {
    const reader = this.#reader;
    const end = reader.uint32() + reader.pos;
    if (end > this.#bodyEnd) throw new Error('longer than its aggregate');
    this.dataStart = NO_INDEX;
    this.partitionKeyIndex = NO_INDEX;
    this.explicitHashKeyIndex = NO_INDEX;
    reader.len = end;
    while (reader.pos < end) this.#readRecordField(reader.tag());
    reader.len = this.#bodyEnd;
    if (this.dataStart === NO_INDEX || this.partitionKeyIndex === NO_INDEX) throw new Error('a field is missing');
  }

  #readRecordField(tag: number): void {
    const reader = this.#reader;
    const field = tag >>> 3;
    const wireType = tag & 7;
    if (field === DATA && wireType === LENGTH_DELIMITED) {
      const size = reader.uint32();
      this.dataStart = reader.pos;
      reader.skip(size);
      this.dataEnd = reader.pos;
    } else if (field === PARTITION_KEY_INDEX && wireType === VARINT) this.partitionKeyIndex = reader.uint32();
    else if (field === EXPLICIT_HASH_KEY_INDEX && wireType === VARINT) this.explicitHashKeyIndex = reader.uint32();
    else skipField(reader, tag);
  }
}

/** Is it worth opening? */
export function hasMagic(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    bytes[start] === MAGIC[0] &&
    end - start > MAGIC.length + DIGEST_BYTES &&
    bytes[start + 1] === MAGIC[1] &&
    bytes[start + 2] === MAGIC[2] &&
    bytes[start + 3] === MAGIC[3]
  );
}

function hasDigest(bytes: Uint8Array, bodyStart: number, bodyEnd: number): boolean {
  const digest = hash('md5', bytes.subarray(bodyStart, bodyEnd), 'buffer');
  for (let i = 0; i < DIGEST_BYTES; i++) if (digest[i] !== bytes[bodyEnd + i]) return false;
  return true;
}
