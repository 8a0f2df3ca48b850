import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionOf } from '../../../../lease/position.ts';
import { packingOf, packSuffixes, unpackDuplicates } from '../../../../ledger/redis/packed-positions.ts';

const place = fc.record({ sequence: fc.bigInt({ min: 0n, max: 10n ** 56n - 1n }), sub: fc.nat(99_999_999) });
const places = fc.array(place, { maxLength: 20 });

function columnOf(unsorted: readonly { readonly sequence: bigint; readonly sub: number }[]) {
  const sorted = unsorted.toSorted((a, b) =>
    a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : a.sub - b.sub,
  );
  return {
    sequenceNumbers: sorted.map(({ sequence }) => String(sequence).padStart(56, '0')),
    subSequenceNumbers: Uint32Array.from(sorted, ({ sub }) => sub),
  };
}

describe('packed positions', () => {
  it('unpack to what was packed, whatever the positions share', () => {
    fc.assert(
      fc.property(
        places,
        places,
        fc.boolean(),
        fc.bigInt({ min: 1n, max: 10n ** 50n }),
        (first, further, plain, near) => {
          const narrow = (all: typeof first) =>
            all.map(({ sequence, sub }) => ({ sequence: sequence % near, sub: plain ? 0 : sub }));
          const columns = [columnOf(narrow(first)), columnOf(narrow(further))] as const;

          const packing = packingOf(columns);
          const suffixes = columns.map((column) => packSuffixes(packing, column)).join('');
          const element = `to ${packing.prefix} ${packing.width} ${suffixes}`;

          const expected = columns.flatMap(({ sequenceNumbers, subSequenceNumbers }) =>
            sequenceNumbers.map((sequenceNumber, i) => String(positionOf(sequenceNumber, subSequenceNumbers[i]))),
          );
          expect(new Set(unpackDuplicates([element]))).toEqual(new Set(expected));
          expect(unpackDuplicates([element])).toHaveLength(expected.length);
        },
      ),
    );
  });

  it('need a few characters each when they are near, and none for sub-sequence numbers that are all zero', () => {
    const near = columnOf([1n, 2n, 99n].map((n) => ({ sequence: 10n ** 55n + n, sub: 0 })));
    expect(packingOf([near])).toEqual({ prefix: `1${'0'.repeat(53)}`, width: 2, hasSubSequence: false });
    const single = columnOf([{ sequence: 7n, sub: 0 }]);
    expect(packingOf([single])).toMatchObject({ width: 1 });
  });
});
