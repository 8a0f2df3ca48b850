import { describe, expect, it } from 'vitest';
import { nextStep } from '../../../../controller/handoff/state.ts';
import { buildLease } from '../../../support/lease-builder.ts';

const facts = { nowMs: 1_000, deadlineMs: 30_000, isOldAlive: true };
const handing = buildLease({ owner: 'new', checkpointOwner: 'old', generation: 3 });
const tracked = { key: handing.key, generation: 3, old: 'old', sinceMs: 500 };

describe('a handoff as the controller sees it', () => {
  it('does not exist for a lease that is only held', () => {
    expect(nextStep(undefined, buildLease({ owner: 'w' }), facts)).toEqual({ kind: 'none' });
  });

  it('waits for the old owner, with the deadline counted from the first sight', () => {
    const first = nextStep(undefined, handing, facts);
    expect(first).toEqual({ kind: 'wait', draining: { ...tracked, sinceMs: 1_000 } });
    expect(nextStep(tracked, handing, { ...facts, nowMs: 30_499 })).toEqual({ kind: 'wait', draining: tracked });
  });

  it('keeps its deadline when the target changes', () => {
    const retargeted = { ...handing, owner: 'newer' };
    expect(nextStep(tracked, retargeted, facts)).toEqual({ kind: 'wait', draining: tracked });
  });

  it('is forced at the deadline, and at once when the old owner is dead', () => {
    expect(nextStep(tracked, handing, { ...facts, nowMs: 30_500 })).toMatchObject({
      kind: 'force',
      reason: 'deadline',
    });
    expect(nextStep(tracked, handing, { ...facts, isOldAlive: false })).toMatchObject({
      kind: 'force',
      reason: 'dead',
    });
    expect(nextStep(undefined, handing, { ...facts, isOldAlive: false })).toMatchObject({ kind: 'force' });
  });

  it('is over when the old owner is out of the row, also by the end of the shard or of the row', () => {
    expect(nextStep(tracked, buildLease({ owner: 'new', generation: 4 }), facts)).toEqual({
      kind: 'over',
      outcome: 'released',
    });
    const finished = buildLease({ checkpoint: { kind: 'SHARD_END' }, generation: 3 });
    expect(nextStep(tracked, finished, facts)).toEqual({ kind: 'over', outcome: 'finished' });
    expect(nextStep(tracked, undefined, facts)).toEqual({ kind: 'over', outcome: 'released' });
  });

  it('is another one in another generation, with a deadline of its own', () => {
    const next = { ...handing, generation: 5 };
    expect(nextStep(tracked, next, { ...facts, nowMs: 40_000 })).toMatchObject({
      kind: 'wait',
      draining: { sinceMs: 40_000 },
    });
  });
});
