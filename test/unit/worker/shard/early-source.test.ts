import { expect, it } from 'vitest';
import { positionOf } from '../../../../lease/position.ts';
import { EarlySource } from '../../../../worker/shard/early-source.ts';
import type { SourceStart } from '../../../../worker/source/shard-source.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { createFakeSources } from '../../../support/fake-source.ts';

const at = (sequence: string): SourceStart => ({ kind: 'AFTER', position: positionOf(sequence.padStart(56, '0')) });

function early() {
  const sources = createFakeSources(new FakeClock());
  return { opened: sources.opened, early: new EarlySource(sources.open, 'shardId-000000000000') };
}

it.each<SourceStart>([at('7'), { kind: 'TRIM_HORIZON' }, { kind: 'AT_TIMESTAMP', timestampMs: 5 }])(
  'the source that reads already is the one that is taken when it began there: %o',
  (start) => {
    const { early: source, opened } = early();
    source.begin(start);
    const taken = source.take({ ...start });
    source.close();
    expect(opened).toEqual([taken]);
    expect(opened[0]?.isClosed).toBe(false);
  },
);

it.each<[SourceStart, SourceStart]>([
  [at('7'), at('8')],
  [at('7'), { kind: 'TRIM_HORIZON' }],
  [
    { kind: 'AT_TIMESTAMP', timestampMs: 5 },
    { kind: 'AT_TIMESTAMP', timestampMs: 6 },
  ],
])('a wrong guess (%o, not %o) is closed and another source is opened', (guess, start) => {
  const { early: source, opened } = early();
  source.begin(guess);
  const taken = source.take(start);
  source.close();
  expect(opened.map(({ start: from, isClosed }) => [from, isClosed])).toEqual([
    [guess, true],
    [start, false],
  ]);
  expect(taken).toBe(opened[1]);
});

it('a source that nobody took is closed, and a checkpoint that is no place to begin opens none', () => {
  const { early: source, opened } = early();
  source.begin({ kind: 'SHARD_END' });
  source.begin({ kind: 'LATEST' });
  source.begin({ kind: 'TRIM_HORIZON' });
  source.close();
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true]);
});
