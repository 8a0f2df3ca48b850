import { describe, expect, it } from 'vitest';
import {
  eventOf,
  HANDOFF_STATES,
  type HandoffEvent,
  type HandoffState,
  moveOf,
  nextState,
} from '../../../../controller/handoff/state.ts';
import { buildLease } from '../../../support/lease-builder.ts';

const facts = { nowMs: 1_000, deadlineMs: 30_000, isOldAlive: true };
const handing = buildLease({ owner: 'new', checkpointOwner: 'old', generation: 3 });
const tracked = { key: handing.key, generation: 3, old: 'old', sinceMs: 500 };

const EVENTS: readonly HandoffEvent[] = [
  ...(['HandoffSeen', 'OldOwnerLetGo', 'ShardEnded', 'DeadlinePassed'] as const),
  ...(['OldOwnerDied', 'ForceWon', 'ForceLost'] as const),
];

/** Every change there is. */
const CHANGES: Readonly<Record<HandoffState, Partial<Record<HandoffEvent, HandoffState>>>> = {
  Resting: { HandoffSeen: 'Draining', OldOwnerDied: 'Forcing' },
  Draining: {
    ...{ OldOwnerLetGo: 'Released', ShardEnded: 'Finished' },
    ...{ DeadlinePassed: 'Forcing', OldOwnerDied: 'Forcing' },
  },
  Forcing: { ForceWon: 'Forced', ForceLost: 'Draining' },
  Released: {},
  Finished: {},
  Forced: {},
};

describe('the table of a handoff', () => {
  it.each(HANDOFF_STATES)('leads from %s exactly where it should at every event', (state) => {
    const reached = EVENTS.map((event) => [event, nextState(state, event)] as const);
    expect(reached).toEqual(EVENTS.map((event) => [event, CHANGES[state][event] ?? state]));
  });

  it('has an end that is no limbo: from every state some end is reached', () => {
    const ends = new Set<HandoffState>(['Released', 'Finished', 'Forced']);
    const leadsToEnd = (state: HandoffState, left = HANDOFF_STATES.length): boolean =>
      ends.has(state) || (left > 0 && EVENTS.some((event) => leadsToEnd(nextState(state, event), left - 1)));
    expect(HANDOFF_STATES.filter((state) => !leadsToEnd(state))).toEqual([]);
  });
});

describe('a handoff as the controller sees it', () => {
  it('does not exist for a lease that is only held', () => {
    expect(moveOf(undefined, buildLease({ owner: 'w' }), facts)).toBeUndefined();
  });

  it('waits for the old owner, with the deadline counted from the first sight', () => {
    expect(moveOf(undefined, handing, facts)).toEqual({ ...tracked, sinceMs: 1_000 });
    expect(moveOf(tracked, handing, facts)).toBe(tracked);
    expect(eventOf(tracked, handing, { ...facts, nowMs: 30_499 })).toBe('HandoffSeen');
    expect(eventOf(tracked, handing, { ...facts, nowMs: 30_500 })).toBe('DeadlinePassed');
  });

  it('keeps its deadline when the target changes', () => {
    const retargeted = { ...handing, owner: 'newer' };
    expect(moveOf(tracked, retargeted, facts)).toBe(tracked);
    expect(eventOf(tracked, retargeted, facts)).toBe('HandoffSeen');
  });

  it('is forced at once when the old owner is dead, also one that restarted under another id', () => {
    expect(eventOf(tracked, handing, { ...facts, isOldAlive: false })).toBe('OldOwnerDied');
    expect(nextState('Resting', 'OldOwnerDied')).toBe('Forcing');
  });

  it('is over when the old owner is out of the row, also by the end of the shard or of the row', () => {
    expect(eventOf(undefined, buildLease({ owner: 'new', generation: 4 }), facts)).toBe('OldOwnerLetGo');
    const finished = buildLease({ checkpoint: { kind: 'SHARD_END' }, generation: 3 });
    expect(eventOf(undefined, finished, facts)).toBe('ShardEnded');
    expect(eventOf(undefined, undefined, facts)).toBe('OldOwnerLetGo');
  });

  it('is another one in another generation, with a deadline of its own', () => {
    const next = { ...handing, generation: 5 };
    expect(moveOf(tracked, next, { nowMs: 40_000 })).toMatchObject({ generation: 5, sinceMs: 40_000 });
  });
});
