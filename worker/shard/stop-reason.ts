/**
 * Why a shard consumer stops, and what it still owes. A loss is the reason of the abort signal: nothing more is written
 * anywhere. Leaving is a request: outstanding commits end, what is settled is checkpointed, the lease is given back.
 */

/** Metric label: why a lease went without being given back. */
export type LossReason =
  /** The ledger has a later generation. */
  | 'fenced'
  /** A write to the lease row found another owner. */
  | 'checkpoint'
  /** The lease row, read because the orders no longer name it, has another owner. */
  | 'reassigned'
  /** No heartbeat was answered for the lease duration. */
  | 'self_fenced'
  /** The worker row is gone: this worker is no longer of the fleet. */
  | 'deregistered'
  /** The shard cannot be read or counted here; the worker may start again while the row is its own. */
  | 'failed'
  /** The process ends before the lease could be given back. */
  | 'stopped';

export const LOSS_REASONS: readonly LossReason[] = [
  'fenced',
  'checkpoint',
  'reassigned',
  'self_fenced',
  'deregistered',
  'failed',
  'stopped',
];

export class LeaseLost extends Error {
  readonly reason: LossReason;

  constructor(reason: LossReason) {
    super(`lease lost: ${reason}`);
    this.name = 'LeaseLost';
    this.reason = reason;
  }
}

/** handoff: release to the new owner. shutdown: nobody asked for the lease yet, so free it. */
export type LeaveKind = 'handoff' | 'shutdown';
