/**
 * The life of a shard consumer, one per lease and generation, as a table. Pure. The states and their duties are those
 * of docs/protocol.md §3; the consumer acts, its act ends with an event, the table says what comes next.
 *
 * Opening   reads the lease row, opens every slot
 * Reading   the loop
 * Draining  reads nothing new, checkpoints what is settled now, gives the lease back
 * Ending    moves all rows to END, settles, creates children's rows, writes the shard end
 * Halted    the ledger does not fit the lease row: visible, reads nothing, looks again from time to time
 * Released  the lease was given back, or the shard is finished
 * Aborted   no right to the shard, or no way to read it: writes nothing more anywhere
 */

export type ShardState = 'Opening' | 'Reading' | 'Draining' | 'Ending' | 'Halted' | 'Released' | 'Aborted';

export type ShardEvent =
  | 'SlotsOpened'
  /** A row is missing though the lease is bound, or what a heal has to read again is not retained any more. */
  | 'LedgerFoundUnfit'
  /** A row is not what this owner wrote. */
  | 'RowWentStale'
  /** A handoff began, or the process is to stop. */
  | 'LeaveAsked'
  | 'ShardEndReached'
  /** The stream has the shard no more: retention trimmed it before it was read to its end. */
  | 'ShardGone'
  | 'RetryDue'
  /** Released, freed, or finished by the shard end. */
  | 'LeaseGivenBack'
  /** Another owner, no heartbeat, or a failure that this consumer cannot mend. */
  | 'RightLost';

type Changes = Readonly<Record<ShardEvent, ShardState>>;

/** An event that cannot come, or changes nothing, leads back to the state itself. */
function changes(state: ShardState, to: Partial<Changes>): Changes {
  return {
    SlotsOpened: state,
    LedgerFoundUnfit: state,
    RowWentStale: state,
    LeaveAsked: state,
    ShardEndReached: state,
    ShardGone: state,
    RetryDue: state,
    LeaseGivenBack: state,
    RightLost: state,
    ...to,
  };
}

const TABLE: Readonly<Record<ShardState, Changes>> = {
  Opening: changes('Opening', {
    SlotsOpened: 'Reading',
    ShardEndReached: 'Ending',
    LedgerFoundUnfit: 'Halted',
    LeaveAsked: 'Draining',
    RightLost: 'Aborted',
  }),
  Reading: changes('Reading', {
    LedgerFoundUnfit: 'Halted',
    RowWentStale: 'Opening',
    LeaveAsked: 'Draining',
    ShardEndReached: 'Ending',
    ShardGone: 'Ending',
    RightLost: 'Aborted',
  }),
  Ending: changes('Ending', {
    RowWentStale: 'Opening',
    LeaveAsked: 'Draining',
    LeaseGivenBack: 'Released',
    RightLost: 'Aborted',
  }),
  Draining: changes('Draining', { LeaseGivenBack: 'Released', RightLost: 'Aborted' }),
  Halted: changes('Halted', { RetryDue: 'Opening', LeaveAsked: 'Draining', RightLost: 'Aborted' }),
  Released: changes('Released', {}),
  Aborted: changes('Aborted', {}),
};

export const SHARD_STATES = Object.keys(TABLE) as readonly ShardState[];

export function nextState(state: ShardState, event: ShardEvent): ShardState {
  return TABLE[state][event];
}

export function isFinal(state: ShardState): state is 'Released' | 'Aborted' {
  return state === 'Released' || state === 'Aborted';
}
