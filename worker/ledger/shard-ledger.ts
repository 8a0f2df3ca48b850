/**
 * Stage 5: one shard's side of the ledger. Takes identified batches in the order of the shard, lets every slot judge
 * and count what it does not have yet, and judges again, without counting, what it has. Its rows only ever move to
 * positions that this object read up to. After a surprise it is dead: the consumer opens a new one.
 */

import { END, maxPosition, minPosition, type Position, START } from '../../lease/position.ts';
import { type Ledger, type LedgerSpec, type OpenAnswer, REWOUND } from '../../ledger/ledger.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { IdentifiedBatch } from '../pipeline/identified-batch.ts';
import { type BatchPart, cutBatch, firstAbove, groupBySlot, indexesFrom, positionAt } from './batch-part.ts';
import { IdTable } from './id-table.ts';
import { DUPLICATE, type Judged, type JudgedCounts, REJECTED } from './judged.ts';
import { countJudged, type JudgedColumns, markDuplicates, replay } from './judged-columns.ts';
import type { Settling } from './settling.ts';
import { slotColumns } from './slot-columns.ts';
import { type AdvanceCall, type RowMarks, SlotRow } from './slot-row.ts';
import { RightLost, RowWentStale } from './surprise.ts';
import type { Waiting } from './waiting.ts';

export interface ShardLedgerParts {
  readonly ledger: Ledger;
  readonly spec: LedgerSpec;
  readonly settleMs: number;
  readonly clock: Clock;
  readonly waiting: Waiting;
  /** The lease key: shard ids repeat across streams. */
  readonly shard: string;
  readonly generation: number;
}

export type ShardLedgerOpening =
  | { readonly kind: 'opened'; readonly ledger: ShardLedger }
  /** A slot has no row, and none may be created. */
  | { readonly kind: 'missing'; readonly slot: number };

/** More do not fit the ledger's script, and make its answer late. */
export const MAX_COMMIT_RECORDS = 1_000;

/** Timers may fire a little early, and a proof sent too early settles nothing. */
const EARLY_MS = 5;
const NO_RECORDS = new Uint8Array(0);
const NO_COUNTS: JudgedCounts = { fresh: 0, duplicate: 0, rejected: 0, replayed: 0 };
/** Never holds anything between two awaits. */
const copies = new IdTable();

/**
 * Claims the shard's row in every slot for the generation.
 * @param start where to create rows that are absent; undefined = they must be there.
 * @throws RightLost when a later generation has a row.
 */
export async function openShardLedger(
  parts: ShardLedgerParts,
  start: Position | undefined,
  signal: AbortSignal,
): Promise<ShardLedgerOpening> {
  const { ledger, shard, generation, clock, spec } = parts;
  const opening = Array.from({ length: spec.slots }, async (_, slot) => {
    let sentAtMs = 0;
    const answer = await parts.waiting.patiently(signal, () => {
      sentAtMs = clock.monotonicMs();
      return ledger.open({ shard, slot, generation, start });
    });
    requireRight(answer, slot, generation);
    return answer.kind === 'opened' ? new SlotRow({ ...parts, slot }, answer, sentAtMs) : undefined;
  });
  const rows = await Promise.all(opening);
  const missing = rows.indexOf(undefined);
  if (missing >= 0) return { kind: 'missing', slot: missing };
  return { kind: 'opened', ledger: new ShardLedger(parts, rows as SlotRow[]) };
}

export class ShardLedger {
  readonly #parts: ShardLedgerParts;
  readonly #rows: readonly SlotRow[];
  #readPosition: Position;
  #healUntil: Position = START;
  #marks: RowMarks;
  /** When it was opened, did an operator say that what is not retained any more need not be found? */
  readonly isRewound: boolean;

  constructor(parts: ShardLedgerParts, rows: readonly SlotRow[]) {
    this.#parts = parts;
    this.#rows = rows;
    this.#readPosition = this.lowestRow;
    this.isRewound = this.#lowest.token === REWOUND;
    this.#marks = { floor: this.highestFloor, arrivalMs: 0 };
  }

  /** Every record at or below it went through `judge`, or lay below the start. */
  get readPosition(): Position {
    return this.#readPosition;
  }

  get lowestRow(): Position {
    return this.#lowest.position;
  }

  get highestFloor(): Position {
    return this.#rows.map((row) => row.floor).reduce(maxPosition);
  }

  /** What every slot's writes may be rested upon; undefined until each slot has something settled. */
  get settled(): Position | undefined {
    let lowest: Position | undefined;
    for (const { settling } of this.#rows) {
      if (settling.settled === undefined) return undefined;
      lowest = lowest === undefined ? settling.settled : minPosition(lowest, settling.settled);
    }
    return lowest;
  }

  /** Slot 0's settling: dead letters lie there too. */
  get settling(): Settling {
    return this.#rows[0]!.settling;
  }

  get #lowest(): SlotRow {
    return this.#rows.reduce((lowest, row) => (row.position < lowest.position ? row : lowest));
  }

  /** Arrival mark of the row that is farthest behind. */
  get lowestArrivalMs(): number {
    return this.#lowest.arrivalMs;
  }

  /** Did every row belong to this generation until it was opened here? */
  wereOf(generation: number): boolean {
    return this.#rows.every((row) => row.previousGeneration === generation);
  }

  get healUntil(): Position {
    return this.#healUntil;
  }

  /** Is a slot's row behind the checkpoint? Its counts are too low until then. */
  get isHealing(): boolean {
    return this.lowestRow < this.#healUntil;
  }

  /**
   * The loop goes on from here: records at or below it are not read again.
   * @param healUntil the checkpoint, when a row is behind it.
   */
  startAt(position: Position, healUntil: Position = START): void {
    this.#readPosition = position;
    this.#healUntil = healUntil;
  }

  /** Up to where everything is in the ledger once these records are judged. */
  throughOf({ count, positions }: IdentifiedBatch['records']): Position {
    return count === 0 ? this.#readPosition : maxPosition(this.#readPosition, positionAt(positions, count - 1));
  }

  /** @throws RowWentStale, RightLost, or the signal's reason. */
  async judge(batch: IdentifiedBatch, marks: RowMarks, signal: AbortSignal): Promise<Judged> {
    this.#throwSurprise();
    this.#marks = marks;
    const { count, positions } = batch.records;
    if (count === 0) {
      const through = this.#readPosition;
      return { batch, judgements: NO_RECORDS, replayed: NO_RECORDS, counts: NO_COUNTS, healed: 0, through };
    }
    const columns = { judgements: new Uint8Array(count), replayed: new Uint8Array(count) };
    for (const { index } of batch.rejected) columns.judgements[index] = REJECTED;
    for (const part of cutBatch(batch.records, this.#parts.spec.periodMs, MAX_COMMIT_RECORDS)) {
      await this.#judgePart(batch, part, columns, signal);
      this.#readPosition = maxPosition(this.#readPosition, positionAt(positions, part.end - 1));
    }
    const healed = this.#healUntil === START ? 0 : firstAbove(positions, 0, count, this.#healUntil);
    return { batch, ...columns, counts: countJudged(columns), healed, through: this.#readPosition };
  }

  /** For the worker's advancer: what to send for this shard in this slot now, if anything. */
  beginAdvance(slot: number): AdvanceCall | undefined {
    return this.#rows[slot]!.beginAdvance(this.#readPosition, this.#marks);
  }

  /**
   * The shard was read to its end: moves every row to END and proves it until that is settled, and until `isDone` says
   * so of what lies beside the rows. It is asked after each proof.
   */
  async finish(marks: RowMarks, isDone: () => boolean, signal: AbortSignal): Promise<void> {
    const { clock, settleMs } = this.#parts;
    await this.#all((row) => row.advance(END, marks, signal));
    while (!isDone() || this.settled !== END) {
      await clock.sleep(settleMs + EARLY_MS, signal);
      await this.#all((row) => row.advance(END, marks, signal));
    }
  }

  close(): void {
    for (const row of this.#rows) row.close();
  }

  async #judgePart(
    batch: IdentifiedBatch,
    part: BatchPart,
    columns: JudgedColumns,
    signal: AbortSignal,
  ): Promise<void> {
    const { positions } = batch.records;
    const to = positionAt(positions, part.end - 1);
    const groups = groupBySlot(batch, part, this.#rows.length);
    await this.#all(async (row, slot) => {
      const newFrom = firstAbove(positions, part.start, part.end, row.position);
      if (newFrom > part.start) replay(batch, row, slot, groups, newFrom, columns);
      const indexes = indexesFrom(groups.slots[slot]!, newFrom);
      const rejected = slot === 0 ? indexesFrom(groups.rejected, newFrom).length : 0;
      if (indexes.length === 0 && rejected === 0) return;
      const sent = slotColumns(batch, indexes, rejected, copies, row.memories);
      for (const index of sent.furtherIndexes) columns.judgements[index] = DUPLICATE;
      const duplicates = await row.commit(part, sent, to, this.#marks, signal);
      markDuplicates(batch, duplicates, part.start, part.end, columns);
    });
  }

  /**
   * For every row at once. One slot's failure is thrown when the others have answered, so that nothing is outstanding; of
   * several the one that says most: a refusal that no repetition mends must not look like a row that went stale.
   */
  async #all(act: (row: SlotRow, slot: number) => Promise<void>): Promise<void> {
    if (this.#rows.length === 1) return act(this.#rows[0]!, 0);
    const outcomes = await Promise.allSettled(this.#rows.map(act));
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    const lost = failures.find((failure) => failure instanceof RightLost);
    const worst = lost ?? failures.find((failure) => !(failure instanceof RowWentStale)) ?? failures[0];
    if (worst !== undefined) throw worst;
    this.#throwSurprise();
  }

  #throwSurprise(): void {
    const surprises = this.#rows.map((row) => row.surprise).filter((surprise) => surprise !== undefined);
    const [first] = surprises;
    if (first) throw surprises.find((surprise) => surprise instanceof RightLost) ?? first;
  }
}

function requireRight(answer: OpenAnswer, slot: number, generation: number): void {
  if (answer.kind !== 'fenced') return;
  throw new RightLost('fenced', { slot, generation, newerGeneration: answer.generation });
}
