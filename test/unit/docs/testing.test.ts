/** docs/testing.md names tests, invariants and mutations that there are: it cannot rot unseen. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MUTATIONS } from '../../simulation/mutations.ts';
import type { InvariantName } from '../../simulation/verdict.ts';
import { ROOT } from '../../support/source-tree.ts';

const HARD_CASES = 35;
const LEVELS: Readonly<Record<string, string>> = {
  unit: 'pure',
  contract: 'contract',
  simulation: 'simulation',
  integration: 'process',
  chaos: 'process',
  e2e: 'cluster',
};
/** Complete by type: an invariant that is added must be explained. */
const INVARIANTS: Readonly<Record<InvariantName, true>> = {
  SlotExact: true,
  ChainKept: true,
  RetryKnown: true,
  OneWriter: true,
  OneOwnerPerGeneration: true,
  OneOwnerEffects: true,
  CheckpointNeverBack: true,
  CoversCheckpoint: true,
  NothingSkipped: true,
  FreshOnce: true,
  ParentsFirst: true,
  NoHole: true,
  NoDefect: true,
  CountExact: true,
  Progress: true,
  NoOrphan: true,
  BoundedMoves: true,
};

const text = readFileSync(join(ROOT, 'docs/testing.md'), 'utf8');

/** The rows of the table with this header, cell by cell. */
function rowsBelow(header: string): string[][] {
  const [table = ''] = text.slice(text.indexOf(header)).split('\n\n');
  const rows = table.trimEnd().split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

interface NamedTest {
  readonly file: string;
  readonly title: string;
  readonly level: string;
}

function namedTest([, , test = '', level = '']: readonly string[]): NamedTest {
  const [, file = test, title = ''] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
  return { file, title, level };
}

/** Is the title written there, between quotes? Placeholders of `it.each` and templates are as in the source. */
function hasTitle({ file, title }: NamedTest): boolean {
  const path = join(ROOT, 'test', file);
  const source = existsSync(path) ? readFileSync(path, 'utf8').replaceAll("\\'", "'") : '';
  return title !== '' && ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
}

describe('the hard cases of docs/testing.md', () => {
  const rows = rowsBelow('| # | case | test | level |');

  it('are all there, once and in order, each in words', () => {
    const begun = rows.filter(([number]) => number !== '');

    expect(begun.map(([number]) => Number(number))).toEqual(Array.from({ length: HARD_CASES }, (_, i) => i + 1));
    expect(begun.filter(([, words]) => words === '')).toEqual([]);
    expect(rows[0]?.[0]).toBe('1');
  });

  it('are shown by tests that there are, under the titles that they have', () => {
    expect(rows.map(namedTest).filter((named) => !hasTitle(named))).toEqual([]);
  });

  it('are shown at the level of the folder, by invariants that there are', () => {
    const wrong = rows.map(namedTest).filter(({ file, level }) => {
      const [name, invariants] = level.split(': ');
      const isKnown = (invariants?.split(', ') ?? []).every((invariant) => invariant in INVARIANTS);
      return name !== LEVELS[file.split('/')[0] ?? ''] || !isKnown;
    });

    expect(wrong).toEqual([]);
  });
});

describe('the simulation in docs/testing.md', () => {
  it('has every invariant, once', () => {
    const listed = rowsBelow('| invariant | what it says |').map(([name]) => name);

    expect(listed).toEqual(Object.keys(INVARIANTS));
  });

  it('has every mutation with what is wrong, a seed that catches it, and an invariant that there is', () => {
    const listed = rowsBelow('| mutation | caught by seed | invariant |');

    expect(listed.map(([mutation]) => mutation)).toEqual(
      Object.entries(MUTATIONS).map(([name, { what }]) => `${name}: ${what}`),
    );
    for (const [mutation, seed, invariant] of listed) {
      expect(seed, mutation).toMatch(/^\d+$/);
      expect(INVARIANTS, mutation).toHaveProperty(invariant ?? '');
    }
  });
});
