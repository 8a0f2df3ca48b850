/** Dead letters as JSON parts: they fit ordinary Kinesis records, and are whole again whatever comes twice. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionOf } from '../../../../lease/position.ts';
import type { DeadLetter } from '../../../../worker/sink/dead-letter.ts';
import { LetterJoiner, partsOf } from '../../../../worker/sink/letter-parts.ts';

const MIB = 1024 * 1024;

function letter(bytes: Uint8Array, sub = 0): DeadLetter {
  return {
    ...{ stream: 'logins', shard: 'a:logins:1:shardId-000000000000', position: positionOf('12', sub) },
    ...{ arrivalMs: 1_790_000_000_123, reason: 'empty', bytes },
  };
}

const textsOf = (one: DeadLetter): string[] => partsOf(one).map((part) => JSON.stringify(part));

describe('a dead letter', () => {
  it('says in one JSON object where it came from, when, why and what it was', () => {
    expect(JSON.parse(textsOf(letter(Buffer.from('hello'), 41))[0]!)).toEqual({
      ...{ stream: 'logins', shard: 'a:logins:1:shardId-000000000000', position: positionOf('12', 41) },
      ...{ arrival: 1_790_000_000_123, reason: 'empty', part: 1, parts: 1, bytes: 'aGVsbG8=' },
    });
  });

  it('of 10 MiB goes in parts that each fit a record of 1 MiB, and is whole again', () => {
    const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, i) => i & 0xff));
    const large = letter(Buffer.alloc(10 * MIB, bytes));
    const texts = textsOf(large);
    const joiner = new LetterJoiner();

    const joined = texts.map((text) => joiner.add(text));

    expect(Math.max(...texts.map((text) => text.length))).toBeLessThan(MIB);
    expect(joined.slice(0, -1).every((one) => one === undefined)).toBe(true);
    expect(Buffer.from(joined.at(-1)!.bytes).equals(Buffer.from(large.bytes))).toBe(true);
  });

  it('is read once, in whatever order its parts come and however often', () => {
    const letters = [letter(Buffer.alloc(1_500 * 1024, 1), 0), letter(Buffer.from('b'), 1), letter(Buffer.alloc(0), 2)];
    const texts = letters.flatMap(textsOf);
    fc.assert(
      fc.property(fc.shuffledSubarray([...texts, ...texts], { minLength: 2 * texts.length }), (shuffled) => {
        const joiner = new LetterJoiner();

        const read = shuffled.flatMap((text) => joiner.add(text) ?? []);

        expect(read.map(({ bytes }) => bytes.length).toSorted((a, b) => a - b)).toEqual([0, 1, 1_500 * 1024]);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    'no JSON',
    'null',
    '[]',
    '{}',
    '{"part":0,"parts":1,"bytes":""}',
    '{"part":1,"parts":1e9,"bytes":""}',
    '{"part":1,"parts":1,"bytes":"","position":"1","shard":"s","stream":"t","reason":"r"}',
  ])('is not made of %s', (text) => {
    expect(new LetterJoiner().add(text)).toBeUndefined();
  });
});
