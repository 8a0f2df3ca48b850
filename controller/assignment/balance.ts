/**
 * Evens out a spread, first over the workers and then over the zones, with as few moves as it takes. Each step makes
 * two workers plainly more alike, or, leaving the workers as they are, two zones: so it ends, and what it leaves is
 * left alone by the next plan.
 *
 * Hysteresis: a step must lessen the difference of two workers by at least the weight that it moves, or by what makes
 * them alike (spread.ts). To be undone, the weights would have to change by as much.
 */
import type { Load, PlannedLease, Spread } from './spread.ts';

/** A zone gives a lease to another when it has this many times that lease (or an average one) too many. */
const ZONE_STEP = 1.1;

export function balance(spread: Spread): void {
  do balanceWorkers(spread);
  while (balanceZones(spread));
}

/** From the most loaded to the least loaded, as long as there is a step worth it. */
function balanceWorkers(spread: Spread): void {
  const done = new Set<Load>();
  for (;;) {
    const [donor, to] = [spread.mostLoaded(done), spread.leastLoaded()];
    if (!donor || !to) return;
    const lease = bestStep(spread, donor, to);
    if (lease) {
      spread.move(donor, to, lease);
      done.delete(to);
    } else {
      done.add(donor);
    }
  }
}

/**
 * The lease whose move brings the two nearest to each other; none when no move is worth it. A move of w between
 * workers of capacity 1 changes their difference d to |d - 2w|.
 */
function bestStep(spread: Spread, donor: Load, to: Load): PlannedLease | undefined {
  const { alike, rounding } = spread;
  const difference = donor.level - to.level;
  if (difference < alike - rounding || difference <= rounding) return undefined;
  const perWeight = (1 / donor.capacity + 1 / to.capacity) / 2;
  let best: PlannedLease | undefined;
  let bestRest = difference - rounding;
  for (const lease of donor.movable) {
    const step = lease.weight * perWeight;
    const rest = Math.abs(difference - 2 * step);
    if (rest > bestRest || difference - rest < Math.min(step, alike) - rounding) continue;
    if (best && rest >= bestRest - 2 * rounding && !isBetter(donor, lease, best)) continue;
    best = lease;
    bestRest = rest + rounding;
  }
  return best;
}

/** One that has to move anyway; then the heavier; then the one that moved least; then by key: always the same plan. */
function isBetter(donor: Load, lease: PlannedLease, best: PlannedLease): boolean {
  const byHome = Number(isAtHome(lease, donor)) - Number(isAtHome(best, donor));
  const byMoves = (lease.generation ?? 0) - (best.generation ?? 0);
  return (byHome || best.weight - lease.weight || byMoves || (lease.key < best.key ? -1 : 1)) < 0;
}

function isAtHome({ state }: PlannedLease, load: Load): boolean {
  return state.kind === 'held' && state.owner === load.id;
}

/** True when something was moved. Among workers it makes no difference larger. */
function balanceZones(spread: Spread): boolean {
  let hasMoved = false;
  while (moveBetweenZones(spread)) hasMoved = true;
  return hasMoved;
}

function moveBetweenZones(spread: Spread): boolean {
  const zones = spread.zones.toSorted((a, b) => spread.excess(b) - spread.excess(a));
  return zones.some((over) =>
    zones.toReversed().some((under) => {
      const gap = spread.excess(over) - spread.excess(under);
      if (gap <= 0 || gap < ZONE_STEP * spread.averageLease) return false;
      const to = spread.leastLoaded([under]);
      return to !== undefined && over.order.toReversed().some((donor) => giveOne(spread, donor, to, gap));
    }),
  );
}

/** Gives the heaviest lease whose move leaves the two workers no less alike than they are, and their zones more. */
function giveOne(spread: Spread, donor: Load, to: Load, gap: number): boolean {
  const difference = donor.level - to.level;
  const perWeight = (1 / donor.capacity + 1 / to.capacity) / 2;
  let best: PlannedLease | undefined;
  for (const lease of donor.movable) {
    if (lease.weight * perWeight > difference + spread.rounding || ZONE_STEP * lease.weight > gap) continue;
    if (!best || isBetter(donor, lease, best)) best = lease;
  }
  if (best) spread.move(donor, to, best);
  return best !== undefined;
}
