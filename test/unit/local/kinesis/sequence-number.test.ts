import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSequenceNumber, SequenceNumbers } from '../../../../local/kinesis/sequence-number.ts';

const CREATED_SECOND = 1_795_000_000;
const NOW_MS = CREATED_SECOND * 1000;

describe('the sequence numbers of a shard', () => {
  it('have 56 digits and begin like those of AWS', () => {
    expect(new SequenceNumbers(3, CREATED_SECOND).of(1, NOW_MS)).toMatch(/^49\d{54}$/);
  });

  it('grow with the ordinal, whatever the clock does', () => {
    const numbers = new SequenceNumbers(7, CREATED_SECOND);

    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.nat(10 ** 9), fc.nat(10 ** 9), (ordinal, oneMs, otherMs) => {
        const [lower, higher] = [numbers.of(ordinal, NOW_MS + oneMs), numbers.of(ordinal + 1, NOW_MS + otherMs)];
        expect(lower < higher && numbers.start() <= lower && higher < numbers.end(NOW_MS)).toBe(true);
      }),
    );
  });

  it('are greater in a shard created a second later, whatever its index', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(100_000), (parentIndex, childIndex) => {
        const parentEnd = new SequenceNumbers(parentIndex, CREATED_SECOND).end(NOW_MS + 86_400_000);
        expect(new SequenceNumbers(childIndex, CREATED_SECOND + 1).start() > parentEnd).toBe(true);
      }),
    );
  });

  it('give back shard, creation and ordinal', () => {
    const parts = parseSequenceNumber(new SequenceNumbers(4711, CREATED_SECOND).of(123_456, NOW_MS + 5000));

    expect(parts).toEqual({ shardIndex: 4711, createdSecond: CREATED_SECOND, ordinal: 123_456 });
  });

  it('know their own shard from another and from another incarnation of it', () => {
    const own = new SequenceNumbers(2, CREATED_SECOND);
    const isOwn = (numbers: SequenceNumbers): boolean =>
      own.isFromThisShard(parseSequenceNumber(numbers.of(1, NOW_MS))!);

    expect(isOwn(own)).toBe(true);
    expect(isOwn(new SequenceNumbers(3, CREATED_SECOND))).toBe(false);
    expect(isOwn(new SequenceNumbers(2, CREATED_SECOND + 1))).toBe(false);
  });

  it('end at an ordinal beyond every record', () => {
    const end = parseSequenceNumber(new SequenceNumbers(2, CREATED_SECOND).end(NOW_MS));

    expect(end?.ordinal).toBe(Number.POSITIVE_INFINITY);
  });

  it.each(['', '0', '12345', 'x'.repeat(56), '9'.repeat(56), `${'4'.repeat(55)}x`])(
    'are not recognised in %j',
    (text) => {
      expect(parseSequenceNumber(text)).toBeUndefined();
    },
  );
});
