/** Leases and workers as plans see them, and what becomes of them when every move is written. */
import type { Move } from '../../../../controller/assignment/plan.ts';
import type { PlannedLease, PlannedWorker } from '../../../../controller/assignment/spread.ts';

export const lease = (key: string, state: PlannedLease['state'], weight = 1): PlannedLease => ({ key, weight, state });
export const free = (key: string, weight = 1): PlannedLease => lease(key, { kind: 'free' }, weight);
export const held = (key: string, owner: string, weight = 1): PlannedLease =>
  lease(key, { kind: 'held', owner }, weight);
export const worker = (
  id: string,
  standing: PlannedWorker['standing'] = 'eligible',
  more: Omit<PlannedWorker, 'id' | 'standing'> = {},
): PlannedWorker => ({ id, standing, ...more });

/** The leases after every move was written; handoffs are over at once. */
export function carriedOut(leases: readonly PlannedLease[], moves: readonly Move[]): PlannedLease[] {
  const to = new Map(moves.map((move) => [move.key, move.to]));
  return leases.map((one) => {
    const owner = to.get(one.key) ?? (one.state.kind === 'handing' ? one.state.to : undefined);
    if (owner === undefined) return one;
    const changes = to.has(one.key) ? 1 : 0;
    return { ...one, generation: (one.generation ?? 0) + changes, state: { kind: 'held', owner } };
  });
}

/** What each of these workers holds. */
export function weightsOf(leases: readonly PlannedLease[], workers: readonly PlannedWorker[]): Map<string, number> {
  const weights = new Map(workers.map((one) => [one.id, 0]));
  for (const { state, weight } of leases) {
    if (state.kind !== 'held') continue;
    const known = weights.get(state.owner);
    if (known !== undefined) weights.set(state.owner, known + weight);
  }
  return weights;
}

export function ownerOf({ state }: PlannedLease): string | undefined {
  return state.kind === 'held' ? state.owner : undefined;
}
