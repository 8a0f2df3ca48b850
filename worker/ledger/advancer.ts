/**
 * The worker's advances: per slot one call each `settle`, carrying every shard that has nothing to commit there. It
 * moves rows that records did not touch, proves that rows are still ours, and so lets earlier writes settle. The cost
 * is slots × workers calls per `settle`, not slots × shards.
 */
import type { AdvanceAnswer, AdvanceRequest, Ledger, LedgerSpec, OnConnection } from '../../ledger/ledger.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorFields, type Logger } from '../../runtime/logger.ts';
import type { ShardLedger } from './shard-ledger.ts';
import type { AdvanceCall } from './slot-row.ts';
import type { Waiting } from './waiting.ts';

export interface AdvancerParts {
  readonly ledger: Ledger;
  readonly spec: LedgerSpec;
  readonly settleMs: number;
  readonly clock: Clock;
  readonly waiting: Waiting;
  readonly logger: Logger;
}

/** With settle 0 nothing has to be proved, but idle rows still move and lost tails still show. */
const MIN_INTERVAL_MS = 50;
/** Timers may fire a little early, and a proof sent too early settles nothing. */
const EARLY_MS = 5;

export class Advancer {
  readonly #parts: AdvancerParts;
  readonly #shards = new Set<ShardLedger>();

  constructor(parts: AdvancerParts) {
    this.#parts = parts;
  }

  add(shard: ShardLedger): void {
    this.#shards.add(shard);
  }

  remove(shard: ShardLedger): void {
    this.#shards.delete(shard);
  }

  /** Runs until the signal aborts. Never fails. */
  async run(signal: AbortSignal): Promise<void> {
    const slots = Array.from({ length: this.#parts.spec.slots }, (_, slot) => this.#advanceSlot(slot, signal));
    await Promise.all(slots);
  }

  async #advanceSlot(slot: number, signal: AbortSignal): Promise<void> {
    const intervalMs = Math.max(this.#parts.settleMs + EARLY_MS, MIN_INTERVAL_MS);
    while (!signal.aborted) {
      await this.#parts.clock.sleep(intervalMs, signal);
      const calls = [...this.#shards].map((shard) => shard.beginAdvance(slot)).filter((call) => call !== undefined);
      if (calls.length > 0) await this.#send(slot, calls, signal);
    }
  }

  /** The same bytes again until there is an answer; shards closed meanwhile drop out. */
  async #send(slot: number, calls: readonly AdvanceCall[], signal: AbortSignal): Promise<void> {
    let sentAtMs = 0;
    let wanted: readonly AdvanceCall[] = calls;
    const answers = new Map<AdvanceRequest, AdvanceAnswer & OnConnection>();
    try {
      await this.#parts.waiting.patiently(signal, async () => {
        wanted = wanted.filter((call) => call.beginAttempt());
        sentAtMs = this.#parts.clock.monotonicMs();
        if (wanted.length === 0) return;
        const requests = wanted.map((call) => call.request);
        const { answers: answered, connection } = await this.#parts.ledger.advance(slot, requests);
        answered.forEach((answer, i) => {
          answers.set(requests[i]!, { ...answer, connection });
        });
      });
    } catch (error) {
      if (!signal.aborted) this.#parts.logger.error('advance failed', { slot, ...errorFields(error) });
    }
    for (const call of calls) call.end(answers.get(call.request), sentAtMs);
  }
}
