/**
 * Sees each planned move to its end: waits for the old owner to release, and forces the row when it is dead or late.
 * Where the lease should go is the assignment's business; here is only that nothing stays in between for ever.
 */
import { isHandingOff, type LeaseKey } from '../../lease/lease.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type FleetView, leasesByShard } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import type { Reconciler } from '../reconciler.ts';
import { type Draining, nextStep } from './state.ts';

export type HandoffOutcome = 'released' | 'finished' | 'forced';

export interface HandoffOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadlineMs: number;
  /** Told of each end of a move, with the time since this controller first saw it. */
  readonly onOver: (outcome: HandoffOutcome, tookMs: number) => void;
}

const WRITES_AT_ONCE = 32;

export function createHandoff({ clock, logger, deadlineMs, onOver }: HandoffOptions): Reconciler {
  const underWay = new Map<LeaseKey, Draining>();

  function over(key: LeaseKey, outcome: HandoffOutcome): void {
    const tookMs = clock.monotonicMs() - (underWay.get(key)?.sinceMs ?? clock.monotonicMs());
    underWay.delete(key);
    onOver(outcome, tookMs);
  }

  async function drive(view: FleetView, key: LeaseKey): Promise<void> {
    const lease = view.leases.get(key);
    const old = view.workers?.get(lease?.checkpointOwner ?? '');
    const step = nextStep(underWay.get(key), lease, {
      nowMs: clock.monotonicMs(),
      deadlineMs,
      isOldAlive: old !== undefined && old.dead === undefined,
    });
    switch (step.kind) {
      case 'none':
        return;
      case 'wait':
        underWay.set(key, step.draining);
        return;
      case 'over':
        over(key, step.outcome);
        return;
      case 'force': {
        underWay.set(key, step.draining);
        if (!lease || !(await view.leases.force(lease, step.draining.old))) return;
        const { generation } = step.draining;
        logger.warn('handoff forced', { leaseKey: key, generation, old: step.draining.old, why: step.reason });
        over(key, 'forced');
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
