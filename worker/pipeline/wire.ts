/**
 * Words of the protobuf wire format that more than one reader of it needs. Readers here pick what they want from the
 * bytes and skip the rest unread, so that a record costs no object.
 */
import type protobuf from 'protobufjs';

export const VARINT = 0;
export const LENGTH_DELIMITED = 2;
const MAX_VARINT_BYTES = 10;

/** Passes over the value behind a tag. @throws Error when it is no value, or ends outside the reader's range. */
export function skipField(reader: protobuf.Reader, tag: number): void {
  const from = reader.pos;
  reader.skipType(tag & 7, 0, tag >>> 3);
  if ((tag & 7) === VARINT && reader.pos - from > MAX_VARINT_BYTES) throw new Error('varint');
}
