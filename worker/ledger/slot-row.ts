/**
 * One shard's row in one slot: what this owner believes it to be, and the two calls that move it. At most one call is
 * outstanding at a time: the chain (each write names what it builds on) allows no other. Any surprise is final for the
 * object: a new open makes a new one.
 */
import { randomBytes } from 'node:crypto';
import { maxPosition, type Position } from '../../lease/position.ts';
import type {
  AdvanceAnswer,
  AdvanceRequest,
  CommitAnswer,
  CommitRequest,
  Ledger,
  LedgerRow,
  LedgerSpec,
  OnConnection,
  OpenAnswer,
} from '../../ledger/ledger.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { BatchPart } from './batch-part.ts';
import { Layouts } from './layouts.ts';
import { Settling } from './settling.ts';
import type { MemberMemories, SlotColumns } from './slot-columns.ts';
import { RightLost, RowWentStale } from './surprise.ts';
import { untilAborted, type Waiting } from './waiting.ts';

/** What every write carries beside its records: the last acknowledged checkpoint, the settled arrival mark. */
export interface RowMarks {
  readonly floor: Position;
  readonly arrivalMs: number;
}

export interface SlotRowParts {
  readonly ledger: Ledger;
  readonly spec: LedgerSpec;
  readonly settleMs: number;
  readonly clock: Clock;
  readonly waiting: Waiting;
  readonly shard: string;
  readonly slot: number;
}

/** An advance that may be sent now, together with those of other shards. End it exactly once. */
export interface AdvanceCall {
  readonly request: AdvanceRequest;
  /** Before each attempt to send it. False once the shard was closed: then nothing is sent for it any more. */
  beginAttempt(): boolean;
  /** @param answer undefined = it may or may not have happened, and is not repeated. */
  end(answer: (AdvanceAnswer & OnConnection) | undefined, sentAtMs: number): void;
}

/** An advance that changes only the arrival mark is worth a write when it moves it this far. */
const ARRIVAL_STEP_MS = 60_000;

export class SlotRow {
  readonly settling: Settling;
  /** Positions above the floor that were judged duplicate before the open, ascending. */
  readonly notedDuplicates: readonly Position[];
  /** Of the row until this owner opened it; undefined = it was new. */
  readonly previousGeneration: number | undefined;
  readonly memories: MemberMemories = new Map();
  readonly #parts: SlotRowParts;
  readonly #layouts: Layouts;
  #row: LedgerRow;
  #surprise: Error | undefined;
  #isClosed: boolean = false;
  /** Does the shard's loop stand still until the outstanding call has ended? */
  #isAwaited: boolean = false;
  #outstanding: { readonly ended: Promise<void> } | undefined;
  #lastSentMs: number;

  constructor(parts: SlotRowParts, opened: Extract<OpenAnswer, { kind: 'opened' }> & OnConnection, sentAtMs: number) {
    this.#parts = parts;
    this.#row = opened.row;
    this.#layouts = new Layouts(parts.spec, opened.layouts);
    this.#lastSentMs = sentAtMs;
    this.notedDuplicates = opened.duplicates;
    this.previousGeneration = opened.previousGeneration;
    this.settling = new Settling(parts.settleMs);
    this.#observe(opened.connection, sentAtMs);
  }

  get position(): Position {
    return this.#row.position;
  }

  get floor(): Position {
    return this.#row.floor;
  }

  get token(): string {
    return this.#row.token;
  }

  get arrivalMs(): number {
    return this.#row.arrivalMs;
  }

  get surprise(): Error | undefined {
    return this.#surprise;
  }

  /** No call is sent any more; what is under way is not waited for. */
  close(): void {
    this.#isClosed = true;
  }

  /** Moves the row to `to` with these records; gives the positions judged duplicate among the first copies. */
  async commit(
    part: BatchPart,
    columns: SlotColumns,
    to: Position,
    marks: RowMarks,
    signal: AbortSignal,
  ): Promise<readonly Position[]> {
    for (;;) {
      await this.#untilIdle(signal);
      const claim = this.#layouts.claim(part);
      const request: CommitRequest = {
        ...this.#move(to, marks),
        ...claim,
        slot: this.#parts.slot,
        first: columns.first,
        further: columns.further,
        classes: columns.classes,
        rejected: columns.rejected,
        uniques: columns.uniques,
      };
      const answer = await this.#call(request, signal, () => this.#parts.ledger.commit(request));
      if (answer.kind === 'ok' || answer.kind === 'applied') {
        this.#layouts.accept(claim);
        return answer.duplicates;
      }
      if (answer.kind === 'layout') this.#layouts.learn(answer.layouts);
    }
  }

  /** Moves the row to `to` without records, in a call of its own; to = position only proves it. */
  async advance(to: Position, marks: RowMarks, signal: AbortSignal): Promise<void> {
    await this.#untilIdle(signal);
    const request = to === this.#row.position ? this.#proof(marks) : this.#move(to, marks);
    await this.#call(request, signal, async () => {
      const { answers, connection } = await this.#parts.ledger.advance(this.#parts.slot, [request]);
      return { ...answers[0]!, connection };
    });
  }

  /** An advance to `target`, or a proof; undefined when a call is outstanding, or one was sent within `settle`. */
  beginAdvance(target: Position, marks: RowMarks): AdvanceCall | undefined {
    if (this.#isClosed || this.#surprise || this.#outstanding !== undefined) return undefined;
    const moves =
      target > this.#row.position ||
      marks.floor > this.#row.floor ||
      marks.arrivalMs >= this.#row.arrivalMs + ARRIVAL_STEP_MS;
    if (!moves && this.#parts.clock.monotonicMs() - this.#lastSentMs < this.#parts.settleMs) return undefined;
    const request = moves ? this.#move(maxPosition(target, this.#row.position), marks) : this.#proof(marks);
    const finish = this.#begin();
    return {
      request,
      beginAttempt: () => {
        if (this.#isAwaited) this.#parts.waiting.noteAttempt();
        return !this.#isClosed;
      },
      end: (answer, sentAtMs) => {
        finish();
        if (answer) this.#take(request, answer, sentAtMs);
        else if (moves) this.#surprise ??= this.#stale('an advance was not answered');
      },
    };
  }

  /** Only then is it known what the next call builds on. */
  async #untilIdle(signal: AbortSignal): Promise<void> {
    this.#isAwaited = true;
    try {
      while (this.#outstanding) await untilAborted(this.#outstanding.ended, signal);
    } finally {
      this.#isAwaited = false;
    }
    if (this.#surprise) throw this.#surprise;
  }

  /** Sends until there is an answer, and takes the answer. Throws what the answer means. */
  async #call<A extends CommitAnswer | AdvanceAnswer>(
    request: AdvanceRequest,
    signal: AbortSignal,
    send: () => Promise<A & OnConnection>,
  ): Promise<A> {
    const finish = this.#begin();
    let sentAtMs = 0;
    try {
      const answer = await this.#parts.waiting.patiently(signal, () => {
        sentAtMs = this.#parts.clock.monotonicMs();
        return send();
      });
      this.#take(request, answer, sentAtMs);
      if (this.#surprise) throw this.#surprise;
      return answer;
    } catch (error) {
      // Unanswered: nobody knows what the row is now.
      this.#surprise ??= this.#stale('a call was not answered');
      throw error;
    } finally {
      finish();
    }
  }

  #begin(): () => void {
    const turn = Promise.withResolvers<void>();
    this.#outstanding = { ended: turn.promise };
    return () => {
      this.#outstanding = undefined;
      turn.resolve();
    };
  }

  #take(request: AdvanceRequest, answer: (CommitAnswer | AdvanceAnswer) & OnConnection, sentAtMs: number): void {
    switch (answer.kind) {
      case 'layout':
        return;
      case 'stale':
        this.#surprise = this.#stale('refused', answer.row?.position);
        return;
      case 'fenced':
        this.#surprise = new RightLost('fenced', { ...this.#fields(), newerGeneration: answer.generation });
        return;
      case 'ok':
      case 'applied':
        if (request.to !== request.from) this.#row = rowAfter(this.#row, request);
        this.#observe(answer.connection, sentAtMs);
    }
  }

  #observe(connection: number, sentAtMs: number): void {
    this.#lastSentMs = sentAtMs;
    const answeredAtMs = this.#parts.clock.monotonicMs();
    this.settling.observe({ position: this.#row.position, connection, sentAtMs, answeredAtMs });
  }

  #move(to: Position, marks: RowMarks): AdvanceRequest {
    return { ...this.#proof(marks), to: { position: to, token: randomBytes(8).toString('hex') } };
  }

  /** to is from: reads the row, changes nothing. */
  #proof({ floor, arrivalMs }: RowMarks): AdvanceRequest {
    const { position, token, generation } = this.#row;
    const from = { position, token };
    return {
      shard: this.#parts.shard,
      generation,
      from,
      to: from,
      floor: maxPosition(floor, this.#row.floor),
      arrivalMs: Math.max(arrivalMs, this.#row.arrivalMs),
      watermarkMs: this.#row.watermarkMs,
    };
  }

  #stale(because: string, found?: Position): RowWentStale {
    return new RowWentStale({ ...this.#fields(), because, ...(found === undefined ? {} : { found }) });
  }

  #fields(): Record<string, unknown> {
    return { slot: this.#parts.slot, generation: this.#row.generation, position: this.#row.position };
  }
}

function rowAfter(row: LedgerRow, { to, floor, arrivalMs, watermarkMs }: AdvanceRequest): LedgerRow {
  return { generation: row.generation, ...to, floor: maxPosition(row.floor, floor), arrivalMs, watermarkMs };
}
