/**
 * Stage 7: from receipts and settled ledger writes to the safe checkpoint, the highest position up to and including
 * which everything is done in a way that nothing can undo. Pure. Works on batch ends: coarser is always safe, so the
 * memory is bounded by merging.
 */
import type { Position } from '../../lease/position.ts';
import type { Settling } from '../ledger/settling.ts';
import type { Receipt } from '../sink/dead-letter-sink.ts';

export interface Safe {
  readonly position: Position;
  /** No record that this shard still has to count arrived before it, as far as settled records and tips tell. */
  readonly arrivalMs: number;
}

interface Covered {
  readonly receipt: Receipt;
  readonly arrivalMs: number;
}

const MAX_ENTRIES = 256;

export class CheckpointTracker {
  readonly #settling: Pick<Settling, 'outcomeOf'>;
  #entries: Covered[] = [];
  #safe: Safe;

  /** @param start where reading begins: covered by the checkpoint already. */
  constructor(start: Position, settling: Pick<Settling, 'outcomeOf'>) {
    this.#settling = settling;
    this.#safe = { position: start, arrivalMs: 0 };
  }

  get safe(): Safe {
    return this.#safe;
  }

  /** A batch is done up to `receipt.through`, in the order of the shard; `arrivalMs` as in Safe, once it is settled. */
  cover(receipt: Receipt, arrivalMs: number): void {
    const last = this.#entries.at(-1);
    const latestMs = Math.max(arrivalMs, last?.arrivalMs ?? this.#safe.arrivalMs);
    if (receipt.stored === undefined && receipt.through === (last?.receipt.through ?? this.#safe.position)) {
      if (last) this.#entries[this.#entries.length - 1] = { receipt: last.receipt, arrivalMs: latestMs };
      else this.#safe = { position: this.#safe.position, arrivalMs: latestMs };
      return;
    }
    this.#entries.push({ receipt, arrivalMs: latestMs });
    if (this.#entries.length > MAX_ENTRIES) this.#merge();
  }

  /** @param settled what all slots settled; undefined = nothing yet. lost: a receipt's store went before it settled. */
  advance(settled: Position | undefined): 'lost' | 'kept' {
    let done = 0;
    for (const { receipt, arrivalMs } of this.#entries) {
      if (settled === undefined || receipt.through > settled) break;
      const outcome = receipt.stored === undefined ? 'settled' : this.#settling.outcomeOf(receipt.stored);
      if (outcome === 'lost') return 'lost';
      if (outcome === 'pending') break;
      this.#safe = { position: receipt.through, arrivalMs };
      done += 1;
    }
    if (done > 0) this.#entries.splice(0, done);
    return 'kept';
  }

  /** Is every batch that was covered safe? */
  get isComplete(): boolean {
    return this.#entries.length === 0;
  }

  /** Pairs become one entry, at the later position, unless the earlier one has a store of its own to settle. */
  #merge(): void {
    const merged: Covered[] = [];
    let open: boolean = false;
    for (const entry of this.#entries) {
      open = open && merged.at(-1)?.receipt.stored === undefined;
      if (open) merged[merged.length - 1] = entry;
      else merged.push(entry);
      open = !open;
    }
    this.#entries = merged;
  }
}
