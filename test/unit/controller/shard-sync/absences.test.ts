import { describe, expect, it } from 'vitest';
import { Absences } from '../../../../controller/shard-sync/absences.ts';
import { listedShard } from '../controller-world.ts';

const asked = new Set(['a', 'b']);
const [a, b] = [listedShard('a'), listedShard('b')];

describe('a shard that listings do not show', () => {
  it('is gone after three of them in a row', () => {
    const absences = new Absences();
    expect([...absences.saw([b], asked)]).toEqual([]);
    expect([...absences.saw([b], asked)]).toEqual([]);
    expect([...absences.saw([b], asked)]).toEqual(['a']);
    expect([...absences.saw([b], asked)]).toEqual(['a']);
  });

  it('is counted anew when one listing shows it: a hole in a listing for a moment does nothing', () => {
    const absences = new Absences();
    for (const shards of [[b], [b], [a, b], [b]]) absences.saw(shards, asked);
    expect([...absences.saw([b], asked)]).toEqual([]);
    expect([...absences.saw([b], asked)]).toEqual(['a']);
  });

  it('is forgotten when nobody asks for it any more, and with the stream', () => {
    const absences = new Absences();
    absences.saw([], asked);
    absences.saw([], asked);
    absences.saw([], new Set(['b']));
    expect([...absences.saw([], asked)]).toEqual(['b']);
    absences.forget();
    expect([...absences.saw([], asked)]).toEqual([]);
  });
});
