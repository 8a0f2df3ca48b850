/**
 * One JSON record into the columns, by the protobuf JSON mapping: camelCase names (the original ones are taken too, the
 * camelCase one wins), null is absent, a timestamp is RFC 3339 text. Of a key that is there twice the last one counts.
 * Texts are written as UTF-8 to an arena, so that the same text has the same bytes in every encoding.
 */
import { isUtf8 } from 'node:buffer';
import type { Pipeline, WantedField } from '../../pipelines/pipeline.ts';
import type { Column, InstantColumn, TextColumn } from './decoded-batch.ts';
import { parseInstant } from './instant.ts';
import { BAD_TIMESTAMP, DECODABLE, MALFORMED_JSON, NOT_AN_OBJECT, WRONG_TYPE } from './rejection-reason.ts';
import type { UserRecords } from './user-records.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);
const BYTE_ORDER_MARK = 0xfeff;

export class JsonDecoder {
  readonly #fields: readonly WantedField[];
  #records: UserRecords | undefined;
  #bytes = NO_BYTES;
  #columns: readonly Column[] = [];
  #arena = NO_BYTES;
  #arenaEnd = 0;

  constructor(pipeline: Pipeline) {
    this.#fields = pipeline.fields;
  }

  begin(records: UserRecords, columns: readonly Column[]): void {
    const { buffer, byteOffset, byteLength } = records.bytes;
    this.#records = records;
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.#columns = columns;
    this.#arena = NO_BYTES;
    this.#arenaEnd = 0;
  }

  /** The texts of the records decoded since begin. */
  get arena(): Uint8Array {
    return this.#arena;
  }

  /** @returns a code of rejection-reason.ts */
  decode(index: number): number {
    const start = this.#records!.starts[index]!;
    const end = this.#records!.ends[index]!;
    if (!isUtf8(this.#bytes.subarray(start, end))) return MALFORMED_JSON;
    const text = this.#bytes.toString('utf8', start, end);
    let value: unknown;
    try {
      value = JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
    } catch {
      return MALFORMED_JSON;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOT_AN_OBJECT;
    return this.#readFields(value, index);
  }

  #readFields(message: object, index: number): number {
    for (let i = 0; i < this.#fields.length; i++) {
      const value = fieldValue(message, this.#fields[i]!);
      if (value === undefined) continue;
      if (typeof value !== 'string' || !value.isWellFormed()) return WRONG_TYPE;
      const column = this.#columns[i]!;
      if (column.kind === 'text') this.#writeText(value, column, index);
      else if (!writeInstant(value, column, index)) return BAD_TIMESTAMP;
    }
    return DECODABLE;
  }

  #writeText(text: string, column: TextColumn, index: number): void {
    if (text === '') return;
    const room = text.length * 3;
    if (this.#arena.length - this.#arenaEnd < room) this.#grow(room);
    const start = this.#arenaEnd;
    this.#arenaEnd += this.#arena.write(text, start, 'utf8');
    column.starts[index] = start;
    column.ends[index] = this.#arenaEnd;
  }

  #grow(room: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(16_384, 2 * this.#arena.length, this.#arenaEnd + room));
    this.#arena.copy(larger, 0, 0, this.#arenaEnd);
    this.#arena = larger;
  }
}

/** Undefined when neither name has a value; null is none. */
function fieldValue(message: object, field: WantedField): unknown {
  if (Object.hasOwn(message, field.jsonName)) {
    const value: unknown = Reflect.get(message, field.jsonName);
    if (value !== null) return value;
  }
  const value: unknown = Object.hasOwn(message, field.name) ? Reflect.get(message, field.name) : undefined;
  return value === null ? undefined : value;
}

function writeInstant(text: string, column: InstantColumn, index: number): boolean {
  const instant = parseInstant(text);
  if (!instant) return false;
  column.seconds[index] = instant.seconds;
  column.nanos[index] = instant.nanos;
  return true;
}
