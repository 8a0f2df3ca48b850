/**
 * What each shard weighs in the plan, from what the workers say they read. A weight is kept until the measured one
 * leaves a band around it: steady traffic with its noise gives the same weights, and the same weights give no moves.
 * Shards near the typical one weigh exactly the same, so that what lies evenly by number does by weight. Who was not
 * measured yet by its present owner weighs what it weighed before.
 */
import type { LeaseKey } from '../../lease/lease.ts';
import type { WorkerLoad } from '../../lease/worker-store.ts';

/** A lease with an owner, and what that owner says; undefined = nothing is known of it. */
export interface WeighedLease {
  readonly key: LeaseKey;
  readonly shardId: string;
  readonly owner: string | undefined;
  readonly load: WorkerLoad | undefined;
}

interface Weighed {
  owner: string | undefined;
  ownerSinceMs: number;
  /** Bytes per second, the shard's own cost included; undefined until it was measured once. */
  weight: number | undefined;
  /** So near the typical weight that it is taken for it. */
  isTypical: boolean;
}

/**
 * What a shard costs that brings nothing, in bytes per second: its four reads per second take as much of a worker as
 * this much payload does.
 */
export const IDLE_SHARD_BYTES_PER_SECOND = 16_384;
/** A weight is kept while the measured one is at most this many times larger or smaller. */
const BAND = 1.25;
/** A typical shard stays one while it is in this band: the weights and the typical one follow a tide at different times. */
const TYPICAL_BAND = BAND ** 2;
/** An owner names a shard among the busiest once it has read it for half a minute; until then its silence says nothing. */
const OWNER_KNOWS_AFTER_MS = 60_000;

export class ShardWeights {
  #known = new Map<LeaseKey, Weighed>();
  #typical: number | undefined;

  /** The weights of these leases, which are all there are; who is not known is typical. */
  weigh(leases: readonly WeighedLease[], nowMs: number): ReadonlyMap<LeaseKey, number> {
    const known = new Map<LeaseKey, Weighed>();
    for (const lease of leases) known.set(lease.key, this.#update(lease, nowMs));
    this.#known = known;
    this.#typical = steadied(this.#typical, median([...known.values()]));
    const typical = this.#typical ?? IDLE_SHARD_BYTES_PER_SECOND;
    for (const one of known.values()) {
      one.isTypical = one.weight === undefined || isWithin(one.isTypical ? TYPICAL_BAND : BAND, one.weight, typical);
    }
    return new Map([...known].map(([key, { weight = typical, isTypical }]) => [key, isTypical ? typical : weight]));
  }

  #update(lease: WeighedLease, nowMs: number): Weighed {
    const before = this.#known.get(lease.key);
    const isSameOwner = before !== undefined && before.owner === lease.owner;
    const ownerSinceMs = isSameOwner ? before.ownerSinceMs : nowMs;
    const knows = before?.weight === undefined || nowMs - ownerSinceMs >= OWNER_KNOWS_AFTER_MS;
    const measured = measuredOf(lease, knows);
    const weight = steadied(before?.weight, measured);
    return { owner: lease.owner, ownerSinceMs, weight, isTypical: before?.isTypical ?? false };
  }
}

/** As its owner says; a shard that it does not name counts as the others only if it `knows` it. */
function measuredOf({ shardId, load }: WeighedLease, knows: boolean): number | undefined {
  const payload = load?.busiest?.get(shardId) ?? (knows ? load?.othersBytesPerSecond : undefined);
  return payload === undefined ? undefined : IDLE_SHARD_BYTES_PER_SECOND + payload;
}

/** The weight that was, while `now` is in its band. */
function steadied(weight: number | undefined, now: number | undefined): number | undefined {
  if (weight === undefined || now === undefined) return now ?? weight;
  return isWithin(BAND, now, weight) ? weight : now;
}

function isWithin(band: number, a: number, b: number): boolean {
  return a <= b * band && b <= a * band;
}

function median(all: readonly Weighed[]): number | undefined {
  const weights = Float64Array.from(all.flatMap(({ weight }) => weight ?? [])).sort();
  return weights.length === 0 ? undefined : weights[weights.length >>> 1];
}
