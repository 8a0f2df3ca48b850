import { describe, expect, it } from 'vitest';
import { isFinal, nextState, SHARD_STATES, type ShardEvent, type ShardState } from '../../../../worker/shard/state.ts';

const EVENTS: readonly ShardEvent[] = [
  'ShardGone',
  'SlotsOpened',
  'LedgerFoundUnfit',
  'RowWentStale',
  'LeaveAsked',
  'ShardEndReached',
  'RetryDue',
  'LeaseGivenBack',
  'RightLost',
];

/** The protocol's table of states: every change there is. */
const CHANGES: Readonly<Record<ShardState, readonly ShardState[]>> = {
  Opening: ['Reading', 'Ending', 'Halted', 'Draining', 'Aborted'],
  Reading: ['Opening', 'Halted', 'Draining', 'Ending', 'Aborted'],
  Draining: ['Released', 'Aborted'],
  Ending: ['Released', 'Opening', 'Draining', 'Aborted'],
  Halted: ['Opening', 'Draining', 'Aborted'],
  Released: [],
  Aborted: [],
};

describe('the life of a shard consumer', () => {
  it.each(SHARD_STATES)('leads from %s exactly where the protocol says', (state) => {
    const reached = new Set(EVENTS.map((event) => nextState(state, event)).filter((next) => next !== state));
    expect(reached).toEqual(new Set(CHANGES[state]));
  });

  it('ends in Released and Aborted alone', () => {
    expect(SHARD_STATES.filter(isFinal)).toEqual(['Released', 'Aborted']);
  });

  it('aborts from every state that is not final when the right is lost', () => {
    for (const state of SHARD_STATES.filter((each) => !isFinal(each))) {
      expect(nextState(state, 'RightLost')).toBe('Aborted');
    }
  });
});
