/**
 * Positions in a shard and their total order. A Position is text: the sequence number padded to 56 digits, a dot,
 * the sub-sequence number padded to 8. So it sorts as text, in the ledger, in TypeScript and in a log line alike.
 * TRIM_HORIZON (like every sentinel but the end) sorts as zeros; the end of a shard sorts after everything.
 */

declare const positionBrand: unique symbol;

/** 65 characters: 56 digits, '.', 8 digits; or START or END. */
export type Position = string & { readonly [positionBrand]: true };

export const SEQUENCE_NUMBER_DIGITS = 56;
export const SUB_SEQUENCE_NUMBER_DIGITS = 8;

/** Before every record of a shard. */
export const START = `${'0'.repeat(SEQUENCE_NUMBER_DIGITS)}.${'0'.repeat(SUB_SEQUENCE_NUMBER_DIGITS)}` as Position;
/** After every record of a shard: closed and read to its end. */
export const END = '~' as Position;

/** @param sequenceNumber Kinesis's decimal text, at most 56 digits. */
export function positionOf(sequenceNumber: string, subSequenceNumber = 0): Position {
  const sequence =
    sequenceNumber.length === SEQUENCE_NUMBER_DIGITS
      ? sequenceNumber
      : sequenceNumber.padStart(SEQUENCE_NUMBER_DIGITS, '0');
  const sub =
    subSequenceNumber === 0 ? '00000000' : String(subSequenceNumber).padStart(SUB_SEQUENCE_NUMBER_DIGITS, '0');
  return `${sequence}.${sub}` as Position;
}

/** Accepts the text form of a Position that was stored; undefined when it is none. */
export function parsePosition(text: string): Position | undefined {
  return text === END || /^\d{56}\.\d{8}$/.test(text) ? (text as Position) : undefined;
}

/** The decimal text that Kinesis takes, without leading zeros. Not for START or END. */
export function sequenceNumberOf(position: Position): string {
  return position.slice(0, SEQUENCE_NUMBER_DIGITS).replace(/^0+(?=\d)/, '');
}

export function subSequenceNumberOf(position: Position): number {
  return position === END ? 0 : Number(position.slice(SEQUENCE_NUMBER_DIGITS + 1));
}

export function minPosition(a: Position, b: Position): Position {
  return a < b ? a : b;
}

export function maxPosition(a: Position, b: Position): Position {
  return a > b ? a : b;
}

/** A checkpoint as the lease row has it: a sentinel, or the last position that is done. */
export type Checkpoint =
  | { readonly kind: 'TRIM_HORIZON' }
  | { readonly kind: 'LATEST' }
  | { readonly kind: 'AT_TIMESTAMP'; readonly timestampMs: number }
  | { readonly kind: 'AFTER'; readonly position: Position }
  | { readonly kind: 'SHARD_END' };

/** Where a checkpoint sorts: sentinels as START, SHARD_END as END. */
export function checkpointPosition(checkpoint: Checkpoint): Position {
  switch (checkpoint.kind) {
    case 'AFTER':
      return checkpoint.position;
    case 'SHARD_END':
      return END;
    case 'TRIM_HORIZON':
    case 'LATEST':
    case 'AT_TIMESTAMP':
      return START;
  }
}
