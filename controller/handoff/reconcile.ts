/**
 * Sees each planned move to its end: waits for the old owner to release, and forces the row when it is dead or late.
 * Where the lease should go is the assignment's business; here is only that nothing stays in between for ever.
 */
import { isHandingOff, type Lease, type LeaseKey } from '../../lease/lease.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type FleetView, leasesByShard } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import type { Reconciler } from '../reconciler.ts';
import { type Draining, eventOf, type HandoffEvent, type HandoffState, moveOf, nextState } from './state.ts';

export type HandoffOutcome = 'released' | 'finished' | 'forced';

export interface HandoffOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadlineMs: number;
  /** Told of each end of a move, with the time since this controller first saw it. */
  readonly onOver: (outcome: HandoffOutcome, tookMs: number) => void;
}

const WRITES_AT_ONCE = 32;

/** One look at a row, and what follows from it. */
interface Look {
  readonly key: LeaseKey;
  readonly lease: Lease | undefined;
  readonly move: Draining | undefined;
  readonly state: HandoffState;
  readonly event: HandoffEvent;
}

export function createHandoff({ clock, logger, deadlineMs, onOver }: HandoffOptions): Reconciler {
  const underWay = new Map<LeaseKey, Draining>();

  function over(key: LeaseKey, outcome: HandoffOutcome): void {
    const tookMs = clock.monotonicMs() - (underWay.get(key)?.sinceMs ?? clock.monotonicMs());
    underWay.delete(key);
    onOver(outcome, tookMs);
  }

  function look(view: FleetView, key: LeaseKey): Look {
    const lease = view.leases.get(key);
    const tracked = underWay.get(key);
    const nowMs = clock.monotonicMs();
    const move = moveOf(tracked, lease, { nowMs });
    const old = view.workers?.get(move?.old ?? '');
    const event = eventOf(move, lease, { nowMs, deadlineMs, isOldAlive: old !== undefined && old.dead === undefined });
    if (move) underWay.set(key, move);
    return { key, lease, move, event, state: nextState(tracked ? 'Draining' : 'Resting', event) };
  }

  async function drive(view: FleetView, key: LeaseKey): Promise<void> {
    let seen = look(view, key);
    if (seen.state === 'Forcing') {
      // Who left let go before, and the row that was seen may be older than that.
      await view.leases.refresh(key);
      seen = look(view, key);
    }
    await act(view, seen);
  }

  async function act(view: FleetView, { key, lease, move, state, event }: Look): Promise<void> {
    switch (state) {
      case 'Resting':
      case 'Draining':
        return;
      case 'Released':
        return over(key, 'released');
      case 'Finished':
        return over(key, 'finished');
      case 'Forced':
        logger.warn('handoff forced', { leaseKey: key, generation: move?.generation, old: move?.old });
        return over(key, 'forced');
      case 'Forcing': {
        if (!lease || !move) return;
        logger.info('handoff is to be forced', { leaseKey: key, generation: move.generation, old: move.old, event });
        const won = await view.leases.force(lease, move.old);
        const next = won ? 'ForceWon' : 'ForceLost';
        return act(view, { key, lease, move, event: next, state: nextState(state, next) });
      }
    }
  }

  return {
    name: 'handoff',
    async reconcile(view, signal) {
      if (!view.workers || !view.leases.isComplete()) return;
      const keys = new Set(underWay.keys());
      for (const lease of leasesByShard(view).values()) if (isHandingOff(lease)) keys.add(lease.key);
      await inParallel([...keys], WRITES_AT_ONCE, async (key) => {
        if (!signal.aborted) await drive(view, key);
      });
    },
  };
}
