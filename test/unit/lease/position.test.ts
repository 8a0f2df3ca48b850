/** Positions: their text form and their order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkpointPosition,
  END,
  maxPosition,
  minPosition,
  type Position,
  parsePosition,
  positionOf,
  START,
  sequenceNumberOf,
  subSequenceNumberOf,
} from '../../../lease/position.ts';

const sequenceNumber = fc.bigInt({ min: 0n, max: 10n ** 56n - 1n });
const subSequenceNumber = fc.integer({ min: 0, max: 99_999_999 });
const pair = fc.tuple(sequenceNumber, subSequenceNumber);

describe('a position', () => {
  it('gives back the sequence number and sub-sequence number that it was made of', () => {
    fc.assert(
      fc.property(pair, ([sequence, sub]) => {
        const position = positionOf(String(sequence), sub);
        expect(position).toHaveLength(65);
        expect(sequenceNumberOf(position)).toBe(String(sequence));
        expect(subSequenceNumberOf(position)).toBe(sub);
        expect(parsePosition(position)).toBe(position);
      }),
    );
  });

  it('sorts as text as its two numbers sort', () => {
    fc.assert(
      fc.property(pair, pair, ([s1, u1], [s2, u2]) => {
        const a = positionOf(String(s1), u1);
        const b = positionOf(String(s2), u2);
        expect(a < b).toBe(s1 < s2 || (s1 === s2 && u1 < u2));
        expect(minPosition(a, b) <= maxPosition(a, b)).toBe(true);
        expect(new Set([minPosition(a, b), maxPosition(a, b)])).toEqual(new Set([a, b]));
      }),
    );
  });

  it('lies between start and end', () => {
    fc.assert(
      fc.property(pair, ([sequence, sub]) => {
        const position = positionOf(String(sequence), sub);
        expect(START <= position && position < END).toBe(true);
      }),
    );
    expect(parsePosition(END)).toBe(END);
    expect(subSequenceNumberOf(END)).toBe(0);
  });

  it.each(['', 'LATEST', '1.0', `${START}0`, START.replace('.', ','), `x${START.slice(1)}`])(
    'is not read from other text: %j',
    (text) => {
      expect(parsePosition(text)).toBeUndefined();
    },
  );
});

describe('a checkpoint', () => {
  it('sorts as its position, the end of a shard last, every other sentinel first', () => {
    const position: Position = positionOf('7', 1);

    expect(checkpointPosition({ kind: 'AFTER', position })).toBe(position);
    expect(checkpointPosition({ kind: 'SHARD_END' })).toBe(END);
    expect(checkpointPosition({ kind: 'TRIM_HORIZON' })).toBe(START);
    expect(checkpointPosition({ kind: 'LATEST' })).toBe(START);
    expect(checkpointPosition({ kind: 'AT_TIMESTAMP', timestampMs: 5 })).toBe(START);
  });
});
