/**
 * Carries out the plan: each move is one conditional write on the lease row as it was seen, so a plan made on an old
 * picture loses and is made again. A lost move is nobody's error.
 */
import { isFinished, isHandingOff, type Lease } from '../../lease/lease.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type FleetView, isEligible, leasesByShard } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import { unfinishedParents } from '../lineage.ts';
import type { Reconciler } from '../reconciler.ts';
import { type Move, type PlannedLease, type PlannedWorker, plan } from './plan.ts';

export interface AssignmentOptions {
  readonly logger: Logger;
  /** Told of each move that was written. */
  readonly onMoved: (move: Move) => void;
}

const WRITES_AT_ONCE = 32;

export function createAssignment({ logger, onMoved }: AssignmentOptions): Reconciler {
  async function carryOut(view: FleetView, move: Move, lease: Lease): Promise<void> {
    if (!(await write(view, move, lease))) return;
    const { verb, reason, from, to } = move;
    logger.info('lease moved', { leaseKey: lease.key, generation: lease.generation, verb, reason, from, to });
    onMoved(move);
  }

  return {
    name: 'assignment',
    async reconcile(view, signal) {
      if (!view.leases.isComplete() || !view.workers) return;
      const leases = leasesByShard(view);
      const byKey = new Map([...leases.values()].map((lease) => [lease.key, lease]));
      const moves = plan(plannedLeases(view, leases), plannedWorkers(view));
      await inParallel(moves, WRITES_AT_ONCE, async (move) => {
        const lease = byKey.get(move.key);
        if (lease && !signal.aborted) await carryOut(view, move, lease);
      });
    },
  };
}

function write(view: FleetView, { verb, from = '', to }: Move, lease: Lease): Promise<boolean> {
  switch (verb) {
    case 'assign':
      return view.leases.assign(lease, to);
    case 'take':
      return view.leases.take(lease, from, to);
    case 'handoff':
      return view.leases.handoff(lease, from, to);
    case 'retarget':
      return view.leases.retarget(lease, lease.checkpointOwner ?? '', from, to);
  }
}

function plannedLeases(view: FleetView, leases: ReadonlyMap<string, Lease>): PlannedLease[] {
  const planned: PlannedLease[] = [];
  for (const lease of leases.values()) {
    if (isFinished(lease)) continue;
    const state = stateOf(lease);
    if (state.kind === 'free' && unfinishedParents(lease, leases, view.listing).length > 0) continue;
    planned.push({ key: lease.key, weight: 1, state });
  }
  return planned;
}

function stateOf(lease: Lease): PlannedLease['state'] {
  if (lease.owner === undefined) return { kind: 'free' };
  if (isHandingOff(lease)) return { kind: 'handing', old: lease.checkpointOwner ?? '', to: lease.owner };
  return { kind: 'held', owner: lease.owner };
}

function plannedWorkers(view: FleetView): PlannedWorker[] {
  return [...(view.workers?.values() ?? [])].map((worker) => {
    if (isEligible(worker)) return { id: worker.id, standing: 'eligible' };
    return { id: worker.id, standing: worker.dead === undefined ? 'leaving' : 'dead' };
  });
}
