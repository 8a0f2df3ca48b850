/**
 * Stage 3's output: the wanted fields of a batch as columns. A text is a range of bytes, of the batch itself when the
 * record is protobuf, else of the arena that JSON texts were written to. Nothing is made per record.
 */
import type { Pipeline } from '../../pipelines/pipeline.ts';
import type { UserRecords } from './user-records.ts';

/** UTF-8 at [starts[i], ends[i]); start −1 = absent (or empty, which is the same). */
export interface TextColumn {
  readonly kind: 'text';
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Seconds since 1970, NaN = absent; nanos 0–999,999,999, always counting forward. */
export interface InstantColumn {
  readonly kind: 'instant';
  readonly seconds: Float64Array;
  readonly nanos: Int32Array;
}

export type Column = TextColumn | InstantColumn;

export interface DecodedBatch {
  readonly records: UserRecords;
  /** By the pipeline's index of the field. */
  readonly columns: readonly Column[];
  /** Bytes of the texts of records with inArena = 1; the others' texts are in records.bytes. */
  readonly arena: Uint8Array;
  readonly inArena: Uint8Array;
  /** Index into the pipeline's formats; meaningless for a record that was rejected. */
  readonly formats: Uint8Array;
  /** Code of the reason (rejection-reason.ts), 0 = decoded. */
  readonly reasons: Uint8Array;
}

/** Columns of `count` records in which every field is absent. */
export function absentColumns(pipeline: Pipeline, count: number): Column[] {
  return pipeline.fields.map((field) =>
    field.kind === 'text'
      ? { kind: 'text', starts: new Int32Array(count).fill(-1), ends: new Int32Array(count) }
      : { kind: 'instant', seconds: new Float64Array(count).fill(Number.NaN), nanos: new Int32Array(count) },
  );
}

export function isPresent(column: Column, index: number): boolean {
  return column.kind === 'text' ? column.starts[index]! >= 0 : !Number.isNaN(column.seconds[index]!);
}

/** Forgets what was written of a record: another reading of it is tried. */
export function makeAbsent(columns: readonly Column[], index: number): void {
  for (const column of columns) {
    if (column.kind === 'text') column.starts[index] = -1;
    else column.seconds[index] = Number.NaN;
  }
}
