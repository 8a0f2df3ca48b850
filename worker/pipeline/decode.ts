/**
 * Stage 3: user records to columns of wanted fields, or a reason. Pure: a function of the bytes and the pipeline.
 *
 * `auto` decides per record which reading is the likelier one, by its first byte; where that byte is white space or a
 * byte order mark (0x0a is both a newline and the tag of field 1), by the first byte after it: '{' or '[' looks like
 * JSON, all else like protobuf. The likelier reading counts if it gives a message with an identity, else the other one
 * if that does; if neither does, the reason is that of the reading that got further (see decode-auto in the tests:
 * a login cannot be both, because the tag of its timestamp, 0x12, can stand nowhere in a JSON text).
 */
import type { Pipeline } from '../../pipelines/pipeline.ts';
import { JsonDecoder } from './decode-json.ts';
import { ProtobufDecoder } from './decode-protobuf.ts';
import { absentColumns, type Column, type DecodedBatch, isPresent, makeAbsent } from './decoded-batch.ts';
import { DECODABLE, EMPTY, isMalformed, MISSING } from './rejection-reason.ts';
import type { UserRecords } from './user-records.ts';

type Decode = (records: UserRecords) => DecodedBatch;
type Wire = 'protobuf' | 'json';

/** The returned function may be used again and again, for one batch at a time. */
export function createDecoder(pipeline: Pipeline): Decode {
  const { source } = pipeline;
  const protobuf = new ProtobufDecoder(pipeline);
  const json = new JsonDecoder(pipeline);

  /** 0, or why this reading gives no message with an identity; then nothing of it stays. */
  function attempt(wire: Wire, columns: readonly Column[], index: number): number {
    const code = wire === 'json' ? json.decode(index) : protobuf.decode(index);
    const reason = code === DECODABLE ? missingIdentity(pipeline, columns, index) : code;
    if (reason !== DECODABLE) makeAbsent(columns, index);
    return reason;
  }

  /** The likelier reading first, then the other one. */
  function attemptBoth(records: UserRecords, columns: readonly Column[], index: number, inArena: Uint8Array): number {
    const likelier = likelierWire(records.bytes, records.starts[index]!, records.ends[index]!);
    inArena[index] = likelier === 'json' ? 1 : 0;
    const first = attempt(likelier, columns, index);
    if (first === DECODABLE) return DECODABLE;
    inArena[index] = likelier === 'json' ? 0 : 1;
    const second = attempt(likelier === 'json' ? 'protobuf' : 'json', columns, index);
    return second === DECODABLE || (isMalformed(first) && !isMalformed(second)) ? second : first;
  }

  return (records) => {
    const { count, starts, ends } = records;
    const columns = absentColumns(pipeline, count);
    const inArena = new Uint8Array(count).fill(source === 'json' ? 1 : 0);
    const formats = new Uint8Array(count);
    const reasons = new Uint8Array(count);
    protobuf.begin(records, columns);
    json.begin(records, columns);
    for (let i = 0; i < count; i++) {
      if (starts[i] === ends[i]) reasons[i] = EMPTY;
      else reasons[i] = source === 'auto' ? attemptBoth(records, columns, i, inArena) : attempt(source, columns, i);
      if (reasons[i] === DECODABLE) formats[i] = formatOf(pipeline, columns, i);
    }
    return { records, columns, arena: json.arena, inArena, formats, reasons };
  };
}

function missingIdentity(pipeline: Pipeline, columns: readonly Column[], index: number): number {
  const { fields } = pipeline.identity;
  for (let i = 0; i < fields.length; i++) {
    if (!isPresent(columns[fields[i]!]!, index)) return MISSING + i;
  }
  return DECODABLE;
}

function formatOf(pipeline: Pipeline, columns: readonly Column[], index: number): number {
  const { formats } = pipeline;
  for (let i = 0; i < formats.length; i++) {
    const { when } = formats[i]!;
    if (when === undefined || isPresent(columns[when]!, index)) return i;
  }
  return formats.length - 1;
}

function likelierWire(bytes: Uint8Array, start: number, end: number): Wire {
  let at = start;
  while (at < end && isBlank(bytes[at]!)) at++;
  const byte = bytes[at];
  return at < end && (byte === 0x7b || byte === 0x5b) ? 'json' : 'protobuf';
}

/** JSON's white space, and the bytes of a byte order mark. */
function isBlank(byte: number): boolean {
  return (
    byte === 0x0a || byte === 0x20 || byte === 0x0d || byte === 0x09 || byte === 0xef || byte === 0xbb || byte === 0xbf
  );
}
