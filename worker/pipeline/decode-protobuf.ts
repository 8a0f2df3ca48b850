/**
 * One protobuf record into the columns: wanted fields are picked from the wire, all others are skipped unread. Rules of
 * proto3 parsers: the last one of a field wins, repeated Timestamps merge, unknown fields are allowed, strings are
 * UTF-8. A truncated or mistyped record is malformed as a whole, also when its identity could be read.
 */
import { isUtf8 } from 'node:buffer';
import protobuf from 'protobufjs';
import type { Pipeline } from '../../pipelines/pipeline.ts';
import type { Column, InstantColumn, TextColumn } from './decoded-batch.ts';
import { isInstant } from './instant.ts';
import { BAD_TIMESTAMP, DECODABLE, MALFORMED_PROTOBUF } from './rejection-reason.ts';
import type { UserRecords } from './user-records.ts';
import { LENGTH_DELIMITED, skipField, VARINT } from './wire.ts';

const BITS_28 = 0x0fff_ffff;
const MORE = 1 << 31;
const SECONDS = 1;
const NANOS = 2;

export class ProtobufDecoder {
  readonly #reader = new protobuf.Reader(new Uint8Array(0));
  /** Field numbers of the wanted fields, by index. */
  readonly #numbers: readonly number[];
  #records: UserRecords | undefined;
  #columns: readonly Column[] = [];

  constructor(pipeline: Pipeline) {
    this.#numbers = pipeline.fields.map((field) => field.number);
  }

  begin(records: UserRecords, columns: readonly Column[]): void {
    this.#records = records;
    this.#columns = columns;
    this.#reader.buf = records.bytes;
  }

  /** @returns a code of rejection-reason.ts */
  decode(index: number): number {
    const records = this.#records!;
    const end = records.ends[index]!;
    this.#reader.pos = records.starts[index]!;
    this.#reader.len = end;
    try {
      while (this.#reader.pos < end) this.#readField(index);
    } catch {
      return MALFORMED_PROTOBUF;
    }
    return this.#hasValidInstants(index) ? DECODABLE : BAD_TIMESTAMP;
  }

  #readField(index: number): void {
    const tag = this.#reader.tag();
    const field = this.#numbers.indexOf(tag >>> 3);
    const column = field < 0 ? undefined : this.#columns[field];
    if (!column) skipField(this.#reader, tag);
    else if ((tag & 7) !== LENGTH_DELIMITED) throw new Error('wire type');
    else if (column.kind === 'text') readText(this.#reader, column, index);
    else readTimestamp(this.#reader, column, index);
  }

  #hasValidInstants(index: number): boolean {
    for (const column of this.#columns) {
      if (column.kind !== 'instant') continue;
      const seconds = column.seconds[index]!;
      if (!Number.isNaN(seconds) && !isInstant(seconds, column.nanos[index]!)) return false;
    }
    return true;
  }
}

function readText(reader: protobuf.Reader, column: TextColumn, index: number): void {
  const size = reader.size();
  const start = reader.pos;
  reader.skip(size);
  requireUtf8(reader.buf, start, reader.pos);
  column.starts[index] = size === 0 ? -1 : start;
  column.ends[index] = reader.pos;
}

/** Most texts are short and ASCII: the library's check starts to pay where that ends. */
function requireUtf8(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    if (bytes[at]! < 0x80) continue;
    if (!isUtf8(bytes.subarray(at, end))) throw new Error('utf-8');
    return;
  }
}

/** What an earlier Timestamp of the same record said stays, unless this one says otherwise: messages merge. */
function readTimestamp(reader: protobuf.Reader, column: InstantColumn, index: number): void {
  const size = reader.size();
  const outerEnd = reader.len;
  const end = reader.pos + size;
  if (end > outerEnd) throw new Error('truncated');
  if (Number.isNaN(column.seconds[index]!)) {
    column.seconds[index] = 0;
    column.nanos[index] = 0;
  }
  reader.len = end;
  while (reader.pos < end) {
    const tag = reader.tag();
    const number = tag >>> 3;
    if (number !== SECONDS && number !== NANOS) skipField(reader, tag);
    else if ((tag & 7) !== VARINT) throw new Error('wire type');
    else if (number === SECONDS) column.seconds[index] = readInt64(reader);
    else column.nanos[index] = reader.int32();
  }
  reader.len = outerEnd;
}

/**
 * Exact between -2^53 and 2^53, and beyond it still far outside any valid time. In parts of 28, 28 and 8 bits, because
 * the library's int64 makes two objects per value.
 */
function readInt64(reader: protobuf.Reader): number {
  const part0 = readBits28(reader);
  if (part0 >= 0) return part0;
  const part1 = readBits28(reader);
  const part2 = part1 >= 0 ? 0 : readLastBits(reader);
  const middle = part1 & BITS_28;
  const low = ((part0 & BITS_28) | (middle << 28)) >>> 0;
  const high = (middle >>> 4) | (part2 << 24);
  return high * 0x1_0000_0000 + low;
}

/** Four bytes of a varint, or fewer if it ends there. Negative (of 32 bits): there are more. */
function readBits28(reader: protobuf.Reader): number {
  let value = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = readByte(reader);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return value | MORE;
}

/** The ninth and tenth byte. */
function readLastBits(reader: protobuf.Reader): number {
  const ninth = readByte(reader);
  if (ninth < 0x80) return ninth;
  const tenth = readByte(reader);
  if (tenth >= 0x80) throw new Error('varint');
  return (ninth & 0x7f) | (tenth << 7);
}

function readByte(reader: protobuf.Reader): number {
  if (reader.pos >= reader.len) throw new Error('truncated');
  return reader.buf[reader.pos++]!;
}
