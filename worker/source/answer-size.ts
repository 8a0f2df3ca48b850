/**
 * How many records to ask for, so that the answer fits: Kinesis bounds an answer by count (10,000) and by 10 MiB, and
 * a record may itself have 10 MiB. Learned from the answers of the shard; a first answer may bring anything.
 */
import type { RecordPage } from './kinesis-reads.ts';

const MAX_LIMIT = 10_000;
const FIRST_LIMIT = 1_000;
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;
/** A shard gives 2 MiB/s: more at once would only be refused afterwards. */
const WANTED_BYTES = 2 * 1024 * 1024;
/** Sequence number and columns of a record, beside its payload. */
const COLUMN_BYTES = 100;
/** While it is read, an answer exists as base64, as text and as bytes. */
const BYTES_PER_PAYLOAD_BYTE = 3;
/** Weight of the newest answer while records become smaller; larger ones count at once. */
const NEWEST_WEIGHT = 0.2;

export class AnswerSize {
  /** Bytes of a record with its columns; undefined before the first record. */
  #recordBytes: number | undefined;

  /** For GetRecords' Limit. @param fairBytes this shard's part in the budget, of which one more page may hold half. */
  limit(fairBytes: number): number {
    if (this.#recordBytes === undefined) return FIRST_LIMIT;
    const wanted = Math.min(WANTED_BYTES, fairBytes / 2 / BYTES_PER_PAYLOAD_BYTE);
    return Math.max(1, Math.min(MAX_LIMIT, Math.floor(wanted / this.#recordBytes)));
  }

  /** Bytes to reserve while reading `limit` records. */
  expectedBytes(limit: number): number {
    const expected = this.#recordBytes === undefined ? MAX_ANSWER_BYTES : Math.ceil(limit * this.#recordBytes);
    return Math.min(MAX_ANSWER_BYTES, expected) * BYTES_PER_PAYLOAD_BYTE;
  }

  /** Bytes that the page holds; learns from it. */
  measure(page: RecordPage): number {
    const bytes = page.bytes.byteLength + page.count * COLUMN_BYTES;
    if (page.count > 0) this.#learn(bytes / page.count);
    return bytes;
  }

  #learn(recordBytes: number): void {
    const known = this.#recordBytes ?? recordBytes;
    this.#recordBytes = Math.max(recordBytes, known + (recordBytes - known) * NEWEST_WEIGHT);
  }
}
