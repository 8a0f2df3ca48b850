/**
 * One leased shard, in one generation: THE LOOP, and the life around it. The life is the table in state.ts: each state
 * has a duty, the duty ends with an event, the table says what comes next. Two things travel up from the stages, and
 * both end here: backpressure (the loop awaits) and surprises (thrown, turned into events).
 */
import { END } from '../../lease/position.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import { errorFields, type Logger } from '../../runtime/logger.ts';
import { LedgerUnfit, RightLost, RowWentStale } from '../ledger/surprise.ts';
import { Waiting } from '../ledger/waiting.ts';
import { deaggregate } from '../pipeline/deaggregate.ts';
import type { DeadLetterSink } from '../sink/dead-letter-sink.ts';
import { ShardGone } from '../source/place-watch.ts';
import { arrivalMark } from './arrival-mark.ts';
import { Delivery } from './delivery.ts';
import { endShard, type ShardOutcome } from './ending.ts';
import { Handover } from './handover.ts';
import { Healing } from './healing.ts';
import { leaveShard } from './leaving.ts';
import { type OpenShard, openShard } from './opening.ts';
import { ShardProgress } from './progress.ts';
import type { ShardClaim, ShardWaits, WorkerParts } from './shard-parts.ts';
import { isFinal, nextState, type ShardEvent, type ShardState } from './state.ts';
import { LeaseLost, type LeaveKind, type LossReason } from './stop-reason.ts';
import { Trimming } from './trimming.ts';

/** How often a halted shard looks whether it fits again (Redis restored from a copy). */
const HALTED_RETRY_MS = 10_000;
/** From the second opening in a row that brought nothing new: whatever goes wrong there must not become a hot loop. */
const REOPENING_BACKOFF = { baseMs: 50, maxMs: 5_000 };

const NOT_ENDED: ShardOutcome = { kind: 'readToEnd', children: [] };

export class ShardConsumer {
  readonly claim: ShardClaim;
  readonly progress: ShardProgress;
  readonly #parts: WorkerParts;
  readonly #logger: Logger;
  readonly #waits: ShardWaits;
  readonly #deadLetters: DeadLetterSink;
  readonly #handover: Handover;
  readonly #healing: Healing;
  readonly #trimming: Trimming;
  readonly #delivery: Delivery;
  readonly #abort = new AbortController();
  /** Aborts when this owner is to leave, and with `#abort`: ends reading, not what is outstanding. */
  readonly #leave = new AbortController();
  #state: ShardState = 'Opening';
  #leaveKind: LeaveKind = 'handoff';
  #shard: OpenShard | undefined;
  #isReading: boolean = false;
  #hasOpened: boolean = false;
  #outcome: ShardOutcome = NOT_ENDED;
  #condition: string | undefined;
  /** Openings again since the ledger last took a record. */
  #reopeningsInVain = 0;

  constructor(parts: WorkerParts, claim: ShardClaim) {
    this.claim = claim;
    this.#parts = parts;
    this.#logger = parts.logger.child({ leaseKey: claim.key, generation: claim.owned.generation });
    const waitFor = (what: string): Waiting =>
      new Waiting(parts.clock, (error) => this.#logger.warn(`waiting for ${what}`, errorFields(error)));
    const deadLetters = waitFor('the store of dead letters');
    this.#waits = { redis: waitFor('redis'), table: waitFor('the fleet table'), deadLetters };
    this.#deadLetters = parts.deadLettersFor(deadLetters);
    this.progress = new ShardProgress(parts.clock, this.#waits);
    this.#handover = new Handover(parts.clock, this.#logger, parts.counts);
    this.#healing = new Healing(parts.clock, this.#logger, parts.counts);
    this.#trimming = new Trimming(this.#logger, parts.counts);
    this.#delivery = new Delivery(claim.shardKey, parts.streamingSinks ?? []);
    this.#abort.signal.addEventListener('abort', () => this.#leave.abort(this.#abort.signal.reason), { once: true });
  }

  get shardId(): string {
    return this.claim.shardId;
  }

  /** Is a slot behind the checkpoint, so that its counts are too low? */
  get isHealing(): boolean {
    return this.#shard?.ledger.isHealing ?? false;
  }

  get readBytes(): number {
    return this.progress.readBytes;
  }

  get state(): ShardState {
    return this.#state;
  }

  /** Why a halted shard halted. */
  get condition(): string | undefined {
    return this.#state === 'Halted' ? this.#condition : this.#shard?.source.status().condition;
  }

  /** Of the open source; those of closed ones are in the worker's counts. */
  get throttledReads(): number {
    return this.#isReading ? (this.#shard?.source.status().throttled ?? 0) : 0;
  }

  /** Ends at once: nothing more is written anywhere. */
  abort(reason: LossReason): void {
    this.#abort.abort(new LeaseLost(reason));
  }

  /** Gives the lease back as soon as outstanding commits have ended. */
  leave(kind: LeaveKind): void {
    if (this.#leave.signal.aborted) return;
    this.#leaveKind = kind;
    this.#handover.asked();
    this.#leave.abort();
  }

  /** Lives until the lease is given back or lost. Never fails. */
  async run(): Promise<'Released' | 'Aborted'> {
    for (let state = this.#state; ; state = this.#state) {
      if (isFinal(state)) return state;
      let event: ShardEvent;
      try {
        event = await this.#act(state);
      } catch (error) {
        event = this.#eventOf(error);
      }
      this.#enter(this.#next(state, event), event);
    }
  }

  /** An event that changes nothing would begin the same act at once, and again for ever: that is a failure. */
  #next(state: ShardState, event: ShardEvent): ShardState {
    const next = nextState(state, event);
    return next === state ? nextState(state, this.#lose('failed', { state, event })) : next;
  }

  #act(state: Exclude<ShardState, 'Released' | 'Aborted'>): Promise<ShardEvent> {
    switch (state) {
      case 'Opening':
        return this.#open();
      case 'Reading':
        return this.#read(this.#shard!, this.#abort.signal, this.#leave.signal);
      case 'Draining':
        return this.#drain();
      case 'Ending':
        return this.#end();
      case 'Halted':
        return this.#halt();
    }
  }

  /** THE LOOP: one record's path, read downwards. */
  async #read(shard: OpenShard, abort: AbortSignal, leave: AbortSignal): Promise<ShardEvent> {
    const { source, ledger, tracker, checkpointer } = shard;
    while (!leave.aborted) {
      this.progress.waitForRecords();
      const raw = await source.next(leave);
      if (raw === undefined) break;
      this.progress.took(raw);
      this.#trimming.look(shard);
      this.#healing.requireRetained(shard);
      for (const records of deaggregate(raw, ledger.readPosition, shard.ownRange)) {
        this.progress.begin();
        const decoded = this.#parts.stages.decode(records);
        const identified = this.#parts.stages.identify(decoded);
        const marks = { floor: checkpointer.acknowledged, arrivalMs: tracker.safe.arrivalMs };
        // Letters first: a tail that Redis loses never takes a letter and leaves its record counted.
        const read = { batch: identified, through: ledger.throughOf(records) };
        const receipt = await this.#deadLetters.store(this.claim.shardKey, read, abort);
        const judged = await ledger.judge(identified, marks, abort);
        await this.#delivery.deliver(judged, abort);
        tracker.cover(receipt, arrivalMark(raw, records));
        requireKept(tracker.advance(ledger.settled));
        checkpointer.offer(tracker.safe.position, ledger.settled !== undefined);
        this.#healing.judged(shard, judged);
        const { startedMs, endedMs } = this.progress.end();
        if (judged.counts.replayed < records.count) this.#tookRecords(source, startedMs);
        this.#parts.counts.recordBatch(judged, startedMs, endedMs, this.#parts.clock.wallMs());
        // What was handed out is counted, but not everything that aggregates may unfold to.
        if (leave.aborted) return 'LeaveAsked';
      }
      source.release(raw);
      this.#outcome = { kind: 'readToEnd', children: raw.childShards };
      if (raw.isShardEnd) return 'ShardEndReached';
    }
    return 'LeaveAsked';
  }

  /** Records were counted that nobody had counted: this opening was not in vain. */
  #tookRecords(source: OpenShard['source'], startedMs: number): void {
    this.#reopeningsInVain = 0;
    this.#handover.counted(source, startedMs);
  }

  async #open(): Promise<ShardEvent> {
    const waitMs = this.#reopeningsInVain > 1 ? backoffMs(REOPENING_BACKOFF, this.#reopeningsInVain - 1) : 0;
    if (waitMs > 0) await this.#parts.clock.sleep(waitMs, this.#leave.signal);
    if (this.#leave.signal.aborted) return 'LeaveAsked';
    const signals = { leave: this.#leave.signal, abort: this.#abort.signal };
    const seen = this.#hasOpened ? undefined : this.claim.seen;
    this.#hasOpened = true;
    const opening = await openShard(this.#parts, this.claim, this.#waits, signals, seen);
    if (opening.kind === 'unfit') {
      return this.#haltFor(opening.condition, opening.fields);
    }
    this.#shard = opening.shard;
    this.#isReading = true;
    this.#delivery.opened(opening.shard.deliveredBefore);
    this.#handover.opened();
    this.#healing.opened(opening.shard);
    this.#parts.advancer.add(opening.shard.ledger);
    // Only of a heal lease: an owner before had healed everything, and died before it could say so.
    return opening.shard.ledger.readPosition === END ? 'ShardEndReached' : 'SlotsOpened';
  }

  async #drain(): Promise<ShardEvent> {
    this.#handover.finished();
    this.#stopReading();
    const { claim } = this;
    const moment = { kind: this.#leaveKind, handover: this.#handover, deliveredTo: this.#delivery.through };
    await leaveShard(this.#parts, claim, this.#waits, this.#shard, moment, this.#abort.signal);
    return 'LeaseGivenBack';
  }

  async #end(): Promise<ShardEvent> {
    this.#stopReading();
    await endShard(this.#parts, this.claim, this.#waits, this.#shard!, this.#outcome, this.#leave.signal);
    return 'LeaseGivenBack';
  }

  #haltFor(condition: string, fields: Readonly<Record<string, unknown>>): ShardEvent {
    this.#condition = condition;
    this.#logger.error('shard halted', { condition, ...fields });
    return 'LedgerFoundUnfit';
  }

  async #halt(): Promise<ShardEvent> {
    this.#stopReading();
    await this.#parts.clock.sleep(HALTED_RETRY_MS, this.#leave.signal);
    return this.#leave.signal.aborted ? 'LeaveAsked' : 'RetryDue';
  }

  /** What a thrown value means for the life of this consumer. */
  #eventOf(error: unknown): ShardEvent {
    const { aborted, reason } = this.#abort.signal;
    if (aborted) return this.#lose(reason instanceof LeaseLost ? reason.reason : 'failed');
    if (error instanceof RightLost) return this.#lose(error.reason, errorFields(error));
    if (this.#leave.signal.aborted && error === this.#leave.signal.reason) return 'LeaveAsked';
    if (error instanceof LedgerUnfit) return this.#haltFor(error.condition, error.fields);
    if (error instanceof ShardGone && this.#shard) return this.#lookAtGone(this.#shard);
    if (error instanceof RowWentStale) {
      this.#parts.counts.reopenings += 1;
      this.#reopeningsInVain += 1;
      this.#logger.warn('opening again', errorFields(error));
      return 'RowWentStale';
    }
    return this.#lose('failed', errorFields(error));
  }

  /** What was never read of it never will be. A heal halts, as it does at any gap: an operator says what to count. */
  #lookAtGone({ ledger }: OpenShard): ShardEvent {
    if (ledger.isHealing && !ledger.isRewound) return this.#haltFor('LedgerTailNotRetained', {});
    this.#outcome = { kind: 'gone' };
    return 'ShardGone';
  }

  #lose(reason: LossReason, fields: Readonly<Record<string, unknown>> = {}): ShardEvent {
    if (!this.#abort.signal.aborted) this.abort(reason);
    this.#parts.counts.leaseLost(reason);
    this.#logger[reason === 'failed' ? 'error' : 'warn']('lease lost', { ...fields, lossReason: reason });
    return 'RightLost';
  }

  #enter(state: ShardState, event: ShardEvent): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#logger.info('shard consumer changed', { state, event });
    // Nothing in memory survives a reopening or an end.
    if (state === 'Opening' || isFinal(state)) this.#drop();
    if (state === 'Released') this.#parts.book.close(this.claim.key, this.claim.owned.generation);
  }

  #drop(): void {
    this.#stopReading();
    this.#shard?.ledger.close();
    this.#shard = undefined;
    this.#outcome = NOT_ENDED;
    if (isFinal(this.#state)) this.#abort.abort(new LeaseLost('stopped'));
  }

  #stopReading(): void {
    if (!this.#shard || !this.#isReading) return;
    this.#parts.counts.throttledReads += this.throttledReads;
    this.#isReading = false;
    this.#shard.source.close();
    this.#parts.advancer.remove(this.#shard.ledger);
  }
}

function requireKept(outcome: 'lost' | 'kept'): void {
  if (outcome === 'lost') throw new RowWentStale({ because: 'a dead letter was lost' });
}
