/**
 * Hashes of single fields: slots and members of uniques follow from them. Computed once per field and batch, however
 * many uniques count the field.
 */
import type { Pipeline } from '../../pipelines/pipeline.ts';
import { type DecodedBatch, isPresent } from './decoded-batch.ts';
import type { KeyedHash } from './keyed-hash.ts';

/** By field index; low and high half of record i at 2i and 2i + 1; undefined for a field that nobody hashes. */
export type FieldHashes = readonly (Uint32Array | undefined)[];

export function hashFields(pipeline: Pipeline, decoded: DecodedBatch, hash: KeyedHash): FieldHashes {
  const wanted = new Set([pipeline.slotKey, ...pipeline.uniques.map((unique) => unique.field)]);
  return pipeline.fields.map((_, field) => (wanted.has(field) ? hashField(decoded, field, hash) : undefined));
}

/** Appends the field of a record, which must be present, to what is hashed. */
export function writeField(decoded: DecodedBatch, field: number, index: number, hash: KeyedHash): void {
  const column = decoded.columns[field]!;
  if (column.kind === 'instant') hash.instant(column.seconds[index]!, column.nanos[index]!);
  else hash.text(textBytes(decoded, index), column.starts[index]!, column.ends[index]!);
}

/** The bytes that the text columns of a record point into. */
export function textBytes(decoded: DecodedBatch, index: number): Uint8Array {
  return decoded.inArena[index] === 1 ? decoded.arena : decoded.records.bytes;
}

function hashField(decoded: DecodedBatch, field: number, hash: KeyedHash): Uint32Array {
  const { count } = decoded.records;
  const column = decoded.columns[field]!;
  const halves = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    if (!isPresent(column, i)) continue;
    hash.begin();
    writeField(decoded, field, i, hash);
    hash.finish('field');
    halves[2 * i] = hash.low;
    halves[2 * i + 1] = hash.high;
  }
  return halves;
}
