/**
 * What a shard's streaming sinks had, over one opening: where to begin (an owner that released says how far it came),
 * and how far it is now (for the release). What is healed is delivered again: with the tail that Redis lost it is judged
 * anew, and the copy that is fresh now need not be the one that was delivered.
 */
import type { Lease, LeaseKey } from '../../lease/lease.ts';
import { maxPosition, type Position } from '../../lease/position.ts';
import { firstAbove } from '../ledger/batch-part.ts';
import type { Judged } from '../ledger/judged.ts';
import type { StreamingSink } from '../sink/streaming-sink.ts';

/** The rows as they were when this generation opened them. */
export interface RowsAtOpen {
  readonly lowestRow: Position;
  /** Did every row belong to this generation until then? */
  wereOf(generation: number): boolean;
}

/**
 * Up to where nothing is delivered again. Only what the generation just before this one left counts, only if nobody
 * opened the rows in between, and only if Redis lost nothing of what it had judged: in every other case the records
 * above the checkpoint may be judged otherwise, and are delivered once more. A second opening finds its own generation.
 */
export function deliveredBefore({ deliveredTo, generation }: Lease, rows: RowsAtOpen): Position | undefined {
  if (deliveredTo?.generation !== generation - 1 || !rows.wereOf(generation - 1)) return undefined;
  return rows.lowestRow >= deliveredTo.position ? deliveredTo.position : undefined;
}

export class Delivery {
  readonly #shard: LeaseKey;
  readonly #sinks: readonly StreamingSink[];
  #before: Position | undefined;
  #through: Position | undefined;

  constructor(shard: LeaseKey, sinks: readonly StreamingSink[]) {
    this.#shard = shard;
    this.#sinks = sinks;
  }

  /** Up to where every sink has everything; undefined = nothing is known, or there are no sinks. */
  get through(): Position | undefined {
    return this.#through;
  }

  /** @param before records at or below it are not delivered again. */
  opened(before: Position | undefined): void {
    this.#before = before;
    this.#through = this.#sinks.length === 0 ? undefined : before;
  }

  async deliver(judged: Judged, signal: AbortSignal): Promise<void> {
    if (this.#sinks.length === 0) return;
    const { count, positions } = judged.batch.records;
    const first = this.#before === undefined ? 0 : firstAbove(positions, 0, count, this.#before);
    if (first < count) await Promise.all(this.#sinks.map((sink) => sink.deliver(this.#shard, judged, first, signal)));
    this.#through = maxPosition(this.#through ?? judged.through, judged.through);
  }
}
