/**
 * A pipeline as the stages use it: immutable, every name resolved to an index. Only the fields that something asks
 * for are wanted; the rest of a record is never looked at.
 */

export type FieldKind = 'text' | 'instant';

/** A field that a stage wants to see. Text: UTF-8, an empty one is absent. Instant: seconds since 1970 and nanos. */
export interface WantedField {
  /** As in the .proto file. */
  readonly name: string;
  /** As in JSON. */
  readonly jsonName: string;
  /** Field number on the wire. */
  readonly number: number;
  readonly kind: FieldKind;
}

export interface Format {
  readonly name: string;
  /** Index of the field that must be present; undefined = every record. */
  readonly when: number | undefined;
}

export interface Counter {
  readonly name: string;
  /** Index of a text field, or the record's format. */
  readonly by: 'format' | number;
}

export interface Unique {
  readonly name: string;
  readonly field: number;
  /** Index of a text field: distinct values for each of its values. */
  readonly per: number | undefined;
  /** Estimated, in little memory. */
  readonly isApproximate: boolean;
}

export interface Pipeline {
  readonly name: string;
  readonly source: 'auto' | 'protobuf' | 'json';
  /** Are user records of aggregates left out whose hash key is another shard's? */
  readonly ownRangeOnly: boolean;
  readonly fields: readonly WantedField[];
  /** The first that matches is the record's format; the last one always does. */
  readonly formats: readonly Format[];
  /** Indexes of fields; `time` is one of them. */
  readonly identity: { readonly fields: readonly number[]; readonly time: number | undefined };
  /** Index of the identity's field that decides the slot. */
  readonly slotKey: number;
  readonly counters: readonly Counter[];
  readonly uniques: readonly Unique[];
  /** All that makes two records the same and puts them into a slot, in one canonical text: for the ledger's digest. */
  readonly identityDescription: string;
}
