/**
 * Carries out the plan: each move is one conditional write on the lease row as it was seen, so a plan made on an old
 * picture loses and is made again. A lost move is nobody's error. What a shard weighs and who may be given how much is
 * gathered here from the workers' heartbeats and their pods; what follows from it is in plan.ts.
 */
import { isFinished, isHandingOff, type Lease } from '../../lease/lease.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ClusterTerm } from '../cluster.ts';
import { type FleetView, leasesByShard } from '../fleet-view.ts';
import { inParallel } from '../in-parallel.ts';
import { unfinishedParents } from '../lineage.ts';
import type { Reconciler } from '../reconciler.ts';
import { type Move, plan } from './plan.ts';
import { Rollout } from './rollout.ts';
import { ShardWeights } from './shard-weights.ts';
import type { PlannedLease } from './spread.ts';

export interface AssignmentOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly pods: Pick<ClusterTerm, 'placeOf'>;
  /** Told of each move that was written. */
  readonly onMoved: (move: Move) => void;
}

const WRITES_AT_ONCE = 32;

export function createAssignment({ logger, clock, pods, onMoved }: AssignmentOptions): Reconciler {
  const weights = new ShardWeights();
  const rollout = new Rollout(pods);

  async function carryOut(view: FleetView, move: Move, lease: Lease): Promise<void> {
    if (!(await write(view, move, lease))) return;
    const { verb, reason, from, to } = move;
    logger.info('lease moved', { leaseKey: lease.key, generation: lease.generation, verb, reason, from, to });
    onMoved(move);
  }

  function weighed(view: FleetView, leases: ReadonlyMap<string, Lease>, nowMs: number): PlannedLease[] {
    const live = [...leases.values()].filter((lease) => !isFinished(lease));
    const loads = live.map(({ key, shardId, owner }) => {
      return { key, shardId, owner, load: view.workers?.get(owner ?? '')?.row?.load };
    });
    const weightOf = weights.weigh(loads, nowMs);
    return live.flatMap((lease) => {
      const state = stateOf(lease);
      if (state.kind === 'free' && unfinishedParents(lease, leases, view.listing).length > 0) return [];
      return [{ key: lease.key, weight: weightOf.get(lease.key) ?? 1, generation: lease.generation, state }];
    });
  }

  return {
    name: 'assignment',
    async reconcile(view, signal) {
      if (!view.leases.isComplete() || !view.workers) return;
      const nowMs = clock.monotonicMs();
      const leases = leasesByShard(view);
      const byKey = new Map([...leases.values()].map((lease) => [lease.key, lease]));
      const { workers, isUnderWay } = rollout.look([...view.workers.values()], nowMs);
      const moves = plan(weighed(view, leases, nowMs), workers, { withoutBalance: isUnderWay });
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

function stateOf(lease: Lease): PlannedLease['state'] {
  if (lease.owner === undefined) return { kind: 'free' };
  if (isHandingOff(lease)) return { kind: 'handing', old: lease.checkpointOwner ?? '', to: lease.owner };
  return { kind: 'held', owner: lease.owner };
}
