/**
 * Stage 8: the fenced write of the safe checkpoint. At most one write is outstanding and the loop never waits for it.
 * DynamoDB away or throttled: the same write again, with back-off. Lost: this worker has no right to the shard any
 * more and writes nothing after it.
 *
 * The first write of all binds the lease to its ledger: from then on an absent row means that Redis lost a slot. It
 * comes no earlier than the rows are settled, because it rests on them, and no later than the first checkpoint.
 */
import { checkpointText } from '../../lease/checkpoint-text.ts';
import type { OwnedLease, OwnerLeaseWrites, WriteOutcome } from '../../lease/lease-store.ts';
import type { Checkpoint, Position } from '../../lease/position.ts';
import type { Clock } from '../../runtime/clock.ts';
import { RightLost } from '../ledger/surprise.ts';
import type { Waiting } from '../ledger/waiting.ts';
import type { CheckpointPage } from './checkpoint-book.ts';

export interface Binding {
  readonly ledgerId: string;
  /** The checkpoint at which the ledger's rows were created. */
  readonly start: Checkpoint;
}

export interface CheckpointerParts {
  readonly store: Pick<OwnerLeaseWrites, 'checkpoint' | 'shardEnd' | 'bind'>;
  readonly owned: OwnedLease;
  readonly clock: Clock;
  readonly waiting: Waiting;
  readonly everyMs: number;
  readonly page: CheckpointPage;
  /** The lease row's checkpoint when the shard was opened. */
  readonly from: Position;
  /** Undefined when the lease is bound already. */
  readonly binding: Binding | undefined;
  readonly onWritten: () => void;
  /** Ends retries; an unanswered write is then left alone. */
  readonly signal: AbortSignal;
}

export class Checkpointer {
  readonly #parts: CheckpointerParts;
  #binding: Binding | undefined;
  #acknowledged: Position;
  #lastWriteMs: number;
  #outstanding: Promise<void> | undefined;
  #failure: unknown;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
    this.#binding = parts.binding;
    this.#acknowledged = parts.from;
    this.#lastWriteMs = parts.clock.monotonicMs();
  }

  /** The last checkpoint that the lease row is known to have. */
  get acknowledged(): Position {
    return this.#acknowledged;
  }

  /**
   * Writes when it is time and there is something to write; never waits.
   * @param settled false until every slot has proved its row: nothing at all is written before.
   * @throws RightLost when an earlier write found another owner.
   */
  offer(safe: Position, settled: boolean): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#outstanding || !settled) return;
    const isDue = this.#parts.clock.monotonicMs() - this.#lastWriteMs >= this.#parts.everyMs;
    if (!(isDue && this.#hasMoved(safe)) && this.#binding === undefined) return;
    this.#lastWriteMs = this.#parts.clock.monotonicMs();
    const write = isDue && this.#hasMoved(safe) ? this.#write(safe) : this.#bind();
    this.#outstanding = write
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#outstanding = undefined;
      });
  }

  /** The last write of an owner that leaves: what is safe now, after any write under way. */
  async flush(safe: Position, settled: boolean): Promise<void> {
    await this.idle();
    if (settled && this.#hasMoved(safe)) await this.#write(safe);
  }

  /** Waits for the write under way. @throws RightLost, or the signal's reason. */
  async idle(): Promise<void> {
    await this.#outstanding;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** SHARD_END. The caller saw every child's row exist and every slot settled at END. */
  async finish(): Promise<void> {
    await this.idle();
    await this.#bind();
    const version = this.#parts.page.nextVersion();
    await this.#fenced(() => this.#parts.store.shardEnd(this.#parts.owned, version));
  }

  #hasMoved(safe: Position): boolean {
    return safe > this.#acknowledged && safe >= this.#parts.page.highest;
  }

  async #write(position: Position): Promise<void> {
    await this.#bind();
    const { page, store, owned } = this.#parts;
    const version = page.nextVersion();
    page.tried(position);
    await this.#fenced(() => store.checkpoint(owned, { kind: 'AFTER', position }, version));
    this.#acknowledged = position;
    this.#parts.onWritten();
  }

  async #bind(): Promise<void> {
    const binding = this.#binding;
    if (!binding) return;
    await this.#fenced(() =>
      this.#parts.store.bind(this.#parts.owned, binding.ledgerId, checkpointText(binding.start)),
    );
    this.#binding = undefined;
  }

  async #fenced(write: () => Promise<WriteOutcome>): Promise<void> {
    const outcome = await this.#parts.waiting.patiently(this.#parts.signal, write);
    if (outcome.won) return;
    const { lease } = outcome;
    throw new RightLost('checkpoint', {
      foundGeneration: lease?.generation,
      foundOwner: lease?.owner,
      foundCheckpointOwner: lease?.checkpointOwner,
    });
  }
}
