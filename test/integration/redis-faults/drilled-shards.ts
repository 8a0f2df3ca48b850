/** Shards in memory with one truth over all of them: which identities there are, and what the ledger must say of them. */
import type { Clock } from '../../../runtime/clock.ts';
import { testLeaseKey } from '../../support/lease-builder.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';
import { countersOf } from '../../unit/worker/ledger/identified.ts';
import { MemoryShard } from '../../unit/worker/shard/memory-shard.ts';

export interface DrilledShard {
  readonly key: string;
  readonly shardId: string;
  readonly log: MemoryShard;
}

export class DrilledShards {
  readonly all: readonly DrilledShard[];
  readonly #random: SeededRandom;
  readonly #payloads: (number | 'x')[] = [];
  #next = 1;

  constructor(count: number, clock: Clock, random: SeededRandom) {
    this.#random = random;
    this.all = Array.from({ length: count }, (_, i) => {
      const shardId = `shardId-${String(i).padStart(12, '0')}`;
      const log = new MemoryShard(clock);
      log.batchRecords = 50;
      return { key: testLeaseKey(shardId), shardId, log };
    });
  }

  get records(): number {
    return this.#payloads.length;
  }

  /** Some records for a shard: mostly new identities, copies of others from any shard, and a few without one. */
  put(shard: DrilledShard, count: number): void {
    for (let i = 0; i < count; i++) {
      const isCopy = this.#next > 1 && this.#random.chance(0.15);
      const payload = this.#random.chance(0.01) ? 'x' : isCopy ? this.#random.int(this.#next) : this.#next++;
      this.#payloads.push(payload);
      shard.log.put(payload);
    }
  }

  /** The ledger's totals as they must be. */
  truth(): Record<string, number> {
    const totals: Record<string, number> = {};
    const raise = (name: string): void => {
      totals[name] = (totals[name] ?? 0) + 1;
    };
    const ids = new Set<number>();
    const members = new Set<string>();
    for (const payload of this.#payloads) {
      if (payload === 'x') {
        raise('x');
        continue;
      }
      const { classCounters, member, uniqueCounter } = countersOf(payload);
      if (!members.has(member)) raise(uniqueCounter);
      members.add(member);
      for (const name of ids.has(payload) ? ['d'] : ['f', ...classCounters]) raise(name);
      ids.add(payload);
    }
    return totals;
  }
}
