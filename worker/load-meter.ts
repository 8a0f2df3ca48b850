/**
 * What this worker reads per shard, as the heartbeat tells it: averages over the last half minute or so, which a burst
 * does not move much. A shard is spoken of once it was read for long enough; until then the controller goes by what its
 * last owner said. A heartbeat must stay small, so only the busiest shards are named.
 */
import type { WorkerLoad } from '../lease/worker-store.ts';

/** A shard that is worked on; the object is the identity. */
export interface MeteredShard {
  readonly shardId: string;
  /** Payload bytes read since it was taken up. */
  readonly readBytes: number;
}

export type Metered = Required<Pick<WorkerLoad, 'leases' | 'bytesPerSecond' | 'busiest' | 'othersBytesPerSecond'>>;

/** How fast old traffic is forgotten: by half in 21 s. */
const TIME_CONSTANT_MS = 30_000;
const MEASURED_AFTER_MS = 30_000;
/** Heartbeats come closer when they are nudged. */
const MIN_INTERVAL_MS = 500;
/** As many as fit into a row of 1 KiB, beside long names. */
const MAX_NAMED = 12;

interface Flow {
  readonly sinceMs: number;
  bytes: number;
  /** Bytes per ms, weighted towards now; too low at first by what `ageMs` tells. */
  average: number;
}

export class LoadMeter {
  readonly #flows = new Map<MeteredShard, Flow>();
  #measuredMs = Number.NEGATIVE_INFINITY;
  #measured: Metered = { leases: 0, bytesPerSecond: 0, busiest: new Map(), othersBytesPerSecond: undefined };

  /** All shards that are worked on now. */
  measure(shards: readonly MeteredShard[], nowMs: number): Metered {
    if (nowMs - this.#measuredMs >= MIN_INTERVAL_MS) {
      this.#advance(shards, nowMs);
      this.#measured = this.#summary(nowMs);
    }
    return { ...this.#measured, leases: shards.length };
  }

  #advance(shards: readonly MeteredShard[], nowMs: number): void {
    const intervalMs = nowMs - this.#measuredMs;
    const share = 1 - Math.exp(-intervalMs / TIME_CONSTANT_MS);
    const present = new Set(shards);
    for (const shard of this.#flows.keys()) if (!present.has(shard)) this.#flows.delete(shard);
    for (const shard of shards) {
      const flow = this.#flows.get(shard);
      if (flow) flow.average += share * ((shard.readBytes - flow.bytes) / intervalMs - flow.average);
      if (flow) flow.bytes = shard.readBytes;
      else this.#flows.set(shard, { sinceMs: nowMs, bytes: shard.readBytes, average: 0 });
    }
    this.#measuredMs = nowMs;
  }

  #summary(nowMs: number): Metered {
    let bytesPerSecond = 0;
    const measured: [shardId: string, bytesPerSecond: number][] = [];
    for (const [{ shardId }, { sinceMs, average }] of this.#flows) {
      const ageMs = nowMs - sinceMs;
      const rate = ageMs === 0 ? 0 : (average * 1_000) / (1 - Math.exp(-ageMs / TIME_CONSTANT_MS));
      bytesPerSecond += rate;
      if (ageMs >= MEASURED_AFTER_MS) measured.push([shardId, Math.round(rate)]);
    }
    measured.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const busiest = new Map(measured.slice(0, MAX_NAMED).filter(([, rate]) => rate > 0));
    const others = measured.slice(busiest.size);
    const sum = others.reduce((total, [, rate]) => total + rate, 0);
    return {
      leases: this.#flows.size,
      bytesPerSecond: Math.round(bytesPerSecond),
      busiest,
      othersBytesPerSecond: others.length === 0 ? undefined : Math.round(sum / others.length),
    };
  }
}
