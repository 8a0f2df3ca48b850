/** A shard's log in memory: records are put at its end, sources read it from any position, as often as they like. */

import { type Position, positionOf, START } from '../../../../lease/position.ts';
import { DUPLICATE, FRESH, UNDECODABLE } from '../../../../ledger/counter-names.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { ChildShard, RawBatch } from '../../../../worker/source/raw-batch.ts';
import type { ShardSource } from '../../../../worker/source/shard-source.ts';
import { FakeSource, rawBatchOf } from '../../../support/fake-source.ts';
import { countersOf } from '../ledger/identified.ts';

interface LogRecord {
  readonly n: number;
  readonly payload: string;
  readonly arrivalMs: number;
}

const POLL_MS = 100;

export class MemoryShard {
  batchRecords = 5;
  /** Retention has trimmed every record below this number. */
  oldest = 1;
  /** Arrival time before which nothing is kept, if anybody can say. */
  retainedFromMs: number | undefined;
  readonly #clock: Clock;
  readonly #log: LogRecord[] = [];
  #children: readonly ChildShard[] | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Identities by number; 'x' = a record without one. */
  put(...payloads: (number | 'x')[]): void {
    for (const payload of payloads) {
      this.#log.push({ n: this.#log.length + 1, payload: String(payload), arrivalMs: this.#clock.wallMs() });
    }
  }

  end(children: readonly ChildShard[]): void {
    this.#children = children;
  }

  get isEnded(): boolean {
    return this.#children !== undefined;
  }

  lastPosition(): Position {
    return this.#log.length === 0 ? START : positionOf(String(this.#log.length));
  }

  rejectedPositions(): Position[] {
    return this.#log.filter(({ payload }) => payload === 'x').map(({ n }) => positionOf(String(n)));
  }

  /** The ledger's counters as they must be. */
  truth(): Record<string, number> {
    const totals: Record<string, number> = {};
    const raise = (name: string): void => {
      totals[name] = (totals[name] ?? 0) + 1;
    };
    const seen = new Set<string>();
    const members = new Set<string>();
    for (const { payload } of this.#log) {
      if (payload === 'x') {
        raise(UNDECODABLE);
        continue;
      }
      const { classCounters, member, uniqueCounter } = countersOf(Number(payload));
      if (!members.has(member)) raise(uniqueCounter);
      members.add(member);
      if (seen.has(payload)) raise(DUPLICATE);
      else for (const name of [FRESH, ...classCounters]) raise(name);
      seen.add(payload);
    }
    return totals;
  }

  open(after: Position): ShardSource {
    const shard = this;
    const found = this.#log.findIndex(({ n }) => n >= this.oldest && positionOf(String(n)) > after);
    let next = found < 0 ? this.#log.length : found;
    // The proof is the record of the position itself, as in the real source.
    const isTrimmed = after !== START && after < positionOf(String(this.oldest));
    const oldestLeftMs = this.#log[this.oldest - 1]?.arrivalMs ?? 0;
    const trim = isTrimmed ? { after, oldestLeftMs, horizonMs: this.retainedFromMs } : undefined;
    let isEnded: boolean = false;
    const source = new FakeSource(this.#clock, 'shard', { kind: 'TRIM_HORIZON' });
    return {
      async next(signal): Promise<RawBatch | undefined> {
        for (let waited = 0; next >= shard.#log.length && waited < 1_000 && !shard.#children; waited += POLL_MS) {
          if (signal.aborted || source.isClosed) return undefined;
          await shard.#clock.sleep(POLL_MS, signal);
        }
        // Even at once, an answer comes later.
        await shard.#clock.sleep(1, signal);
        if (signal.aborted || source.isClosed || isEnded) return undefined;
        const records = shard.#log.slice(next, next + shard.batchRecords);
        next += records.length;
        isEnded = shard.#children !== undefined && next >= shard.#log.length;
        return rawBatchOf(
          records.map(({ n, payload, arrivalMs }) => ({ sequenceNumber: String(n), payload, arrivalMs })),
          {
            isShardEnd: isEnded,
            childShards: isEnded ? (shard.#children ?? []) : [],
            answeredAtMs: shard.#clock.wallMs(),
          },
        );
      },
      release: (batch) => source.release(batch),
      status: () => ({ ...source.status(), trimmed: trim ? 1 : 0, trim }),
      close: () => source.close(),
    };
  }
}
