/**
 * Positions as one text: the prefix that all positions of a commit share, and the rest of each at a fixed width. The
 * width also tells whether the rest ends with a sub-sequence number. An element of the ledger's duplicates list is
 * such a text with everything needed to read it: `<to> <prefix> <width> <suffixes>`.
 */
import { type Position, positionOf, SEQUENCE_NUMBER_DIGITS, SUB_SEQUENCE_NUMBER_DIGITS } from '../../lease/position.ts';
import type { PositionColumn } from '../ledger.ts';

/** How the positions of one commit are packed. */
export interface Packing {
  readonly prefix: string;
  /** Characters of a suffix; at least 1, so that suffixes can be counted. */
  readonly width: number;
  readonly hasSubSequence: boolean;
}

/** The packing that fits all columns; each is ascending, so its first and last tell what all share. */
export function packingOf(columns: readonly PositionColumn[]): Packing {
  const ends = columns.flatMap(({ sequenceNumbers }) =>
    sequenceNumbers.length === 0 ? [] : [sequenceNumbers[0]!, sequenceNumbers.at(-1)!],
  );
  const first = ends[0] ?? '';
  let shared = first === '' ? 0 : SEQUENCE_NUMBER_DIGITS - 1;
  for (const end of ends) {
    while (!end.startsWith(first.slice(0, shared))) shared -= 1;
  }
  const hasSubSequence = columns.some(({ subSequenceNumbers }) => subSequenceNumbers?.some((n) => n !== 0));
  const width = SEQUENCE_NUMBER_DIGITS - shared + (hasSubSequence ? SUB_SEQUENCE_NUMBER_DIGITS : 0);
  return { prefix: first.slice(0, shared), width, hasSubSequence };
}

/** Suffixes of a column in the order given (default: its own). */
export function packSuffixes(packing: Packing, column: PositionColumn, order?: Uint32Array): string {
  const { sequenceNumbers, subSequenceNumbers } = column;
  const shared = packing.prefix.length;
  let suffixes = '';
  for (let i = 0; i < sequenceNumbers.length; i += 1) {
    const at = order ? order[i]! : i;
    suffixes += sequenceNumbers[at]!.slice(shared);
    if (packing.hasSubSequence) {
      suffixes += String(subSequenceNumbers?.[at] ?? 0).padStart(SUB_SEQUENCE_NUMBER_DIGITS, '0');
    }
  }
  return suffixes;
}

/** All positions of elements of a duplicates list, ascending. */
export function unpackDuplicates(elements: readonly string[]): Position[] {
  const positions: Position[] = [];
  for (const element of elements) {
    const [, prefix, width, suffixes] = element.split(' ') as [string, string, string, string];
    const step = Number(width);
    const digits = SEQUENCE_NUMBER_DIGITS - prefix.length;
    for (let at = 0; at < suffixes.length; at += step) {
      const sequenceNumber = prefix + suffixes.slice(at, at + digits);
      positions.push(positionOf(sequenceNumber, Number(suffixes.slice(at + digits, at + step))));
    }
  }
  return positions.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
