/**
 * Redis: the slots of the ledger, by the reference implementation, and how processes are connected to it. Requests of
 * one connection are applied in their order and answered in it; a connection that goes fails what is unanswered, while
 * what was sent over it may still be applied. A failover takes the newest writes of a slot, and every connection; what is
 * worse takes more of them, or the whole slot.
 */
import type { Ledger, LedgerJob, LedgerReader, LedgerSpec, LedgerTotals } from '../../ledger/ledger.ts';
import {
  createReferenceLedger,
  emptyReferenceSlot,
  emptyReferenceState,
  type ReferenceSlot,
  type ReferenceState,
} from '../../ledger/reference.ts';
import { createReferenceLedgerJob } from '../../ledger/reference-job.ts';
import type { Network } from './faults.ts';
import { RedisLink } from './redis-link.ts';
import type { Schedule } from './schedule.ts';
import type { SimProcess } from './sim-process.ts';
import { type JobWrite, SlotHistory, type SlotImage, type SlotWrite } from './slot-history.ts';
import { shortly, type Trace } from './trace.ts';

/** A write as a process sent it. */
export interface SentWrite {
  readonly process: SimProcess;
  readonly slot: number;
  readonly asked: SlotWrite;
  /** The lives of the consumers that sent its requests. */
  readonly lives: readonly string[];
}

/** What is told of every change of a slot. */
export interface SlotWatcher {
  asked(process: SimProcess, slot: number, write: SlotWrite): readonly string[];
  /**
   * The rows are still what they were. Returns what is to be looked at when the write was applied.
   * @param write what the ledger makes of what was asked.
   */
  beforeWrite(sent: SentWrite, write: SlotWrite): (answer: object) => void;
  /** The answer came back to who sent it. */
  heard(sent: SentWrite, answer: object): void;
  /** @param settled what no tail of the usual length could have undone; undefined = the tail is of that length. */
  losesTail(slot: number, settled: SlotImage | undefined): void;
  lostTail(slot: number, untilMs: number): void;
}

/** A deliberate bug of the ledger: turns what was asked into what is applied, and the answer likewise. */
export interface LedgerBug {
  ask?(write: SlotWrite, image: SlotImage): SlotWrite;
  answer?<A>(write: SlotWrite, answer: A, slots: readonly ReferenceSlot[]): A;
}

export interface RedisParts {
  readonly schedule: Schedule;
  readonly network: Network;
  readonly trace: Trace;
  readonly spec: LedgerSpec;
  /** The longest tail that may be lost and harms nothing. */
  readonly settleMs: number;
  /** The longest that is lost in this world. */
  readonly longestTailMs: number;
  readonly watcher: SlotWatcher;
  readonly bug: LedgerBug;
}

export class SimRedis {
  readonly state: ReferenceState;
  readonly letters = new Set<string>();
  readonly #parts: RedisParts;
  readonly #ledger: ReturnType<typeof createReferenceLedger>;
  readonly #histories: readonly SlotHistory[];
  readonly #links = new Set<RedisLink>();

  constructor(parts: RedisParts) {
    this.#parts = parts;
    this.state = emptyReferenceState(parts.spec.slots);
    this.#ledger = createReferenceLedger(parts.spec, this.state);
    const { settleMs, longestTailMs } = parts;
    const span = { imageEveryMs: settleMs, keepMs: longestTailMs };
    this.#histories = this.state.slots.map((_, slot) => new SlotHistory(span, this.imageOf(slot)));
  }

  /** The slot as it is. */
  imageOf(slot: number): SlotImage {
    return { slot: this.state.slots[slot]!, letters: slot === 0 ? this.letters : new Set() };
  }

  /** What is left of the slot if Redis loses all that it may lose, now. */
  settledImageOf(slot: number): SlotImage {
    return this.#histories[slot]!.imageAt(this.#parts.schedule.nowMs - this.#parts.settleMs);
  }

  connect(process: SimProcess): RedisLink {
    const link = new RedisLink(this.#parts, process);
    this.#links.add(link);
    return link;
  }

  /** The ledger as a process reaches it. */
  ledgerOf(process: SimProcess, link: RedisLink): Ledger & Pick<LedgerReader, 'rows'> {
    const write = async <A extends object>(slot: number, asked: SlotWrite): Promise<A & { connection: number }> =>
      this.#write<A>(process, link, slot, asked);
    return {
      open: (request) => write(request.slot, { kind: 'open', request }),
      commit: (request) => write(request.slot, { kind: 'commit', request }),
      advance: (slot, requests) => write(slot, { kind: 'advance', requests }),
      rows: async (slot) => {
        const read = async () => new Map(this.state.slots[slot]!.rows);
        return (await link.call('ledger.rows', () => `slot ${slot}`, read)).answer;
      },
    };
  }

  /** The ledger's job likewise. */
  jobOf(process: SimProcess, link: RedisLink): LedgerJob {
    const jobIn = (slot: ReferenceSlot): LedgerJob =>
      createReferenceLedgerJob(this.#parts.spec, { connection: 0, slots: [slot] });
    const write = <A extends object>(slot: number, asked: Omit<JobWrite, 'kind'>): Promise<A> =>
      this.#write<A>(process, link, slot, { kind: 'job', ...asked });
    return {
      openJob: (slot, generation) =>
        write(slot, { method: 'openJob', act: (held) => jobIn(held).openJob(0, generation) }),
      forget: (slot, generation, period, unfinished) =>
        write(slot, { method: 'forget', period, act: (held) => jobIn(held).forget(0, generation, period, unfinished) }),
      sweep: (slot, generation, layout, from) => {
        const act: JobWrite['act'] = (held) => jobIn(held).sweep(0, generation, layout, from);
        return write(slot, { method: 'sweep', period: layout.period, act });
      },
      dropRows: (slot, generation, shards) =>
        write(slot, { method: 'dropRows', act: (held) => jobIn(held).dropRows(0, generation, shards) }),
    };
  }

  /** Stores dead letters beside slot 0; the number of the connection. */
  async storeLetters(process: SimProcess, link: RedisLink, ids: readonly string[]): Promise<number> {
    const apply = (): Promise<object> => this.#apply({ process, slot: 0, asked: { kind: 'letters', ids }, lives: [] });
    const { connection } = await link.call('letters.store', () => shortly(ids), apply);
    return connection;
  }

  totals(): Promise<LedgerTotals> {
    return this.#ledger.totals();
  }

  /** Times of the slot's writes of the last so many ms: a tail ends after one of them. */
  writesOf(slot: number, lastMs: number): readonly number[] {
    return this.#histories[slot]!.writtenSince(this.#parts.schedule.nowMs - lastMs);
  }

  /** The slot's primary fails; its replica has what was written until then. What is under way is lost with it. */
  failOver(slot: number, untilMs: number): void {
    const { schedule, settleMs, trace, watcher } = this.#parts;
    trace.note('redis', `loses the tail of slot ${slot}`, () => `the last ${schedule.nowMs - untilMs} ms`);
    const isLong = untilMs < schedule.nowMs - settleMs;
    watcher.losesTail(slot, isLong ? this.settledImageOf(slot) : undefined);
    const image = this.#histories[slot]!.imageAt(untilMs);
    this.#histories[slot]!.forgetAfter(untilMs);
    this.#replace(slot, image);
    watcher.lostTail(slot, untilMs);
  }

  /** Every key of the slot is gone. */
  loseSlot(slot: number): void {
    const { schedule, trace, watcher } = this.#parts;
    trace.note('redis', `loses slot ${slot}`);
    watcher.losesTail(slot, this.settledImageOf(slot));
    const image: SlotImage = { slot: emptyReferenceSlot(), letters: new Set() };
    this.#histories[slot]!.forgetAll(schedule.nowMs, image);
    this.#replace(slot, image);
    watcher.lostTail(slot, Number.NEGATIVE_INFINITY);
  }

  #replace(slot: number, image: SlotImage): void {
    this.state.slots[slot] = image.slot;
    if (slot === 0) {
      this.letters.clear();
      for (const letter of image.letters) this.letters.add(letter);
    }
    for (const link of this.#links) link.loseServer();
  }

  async #write<A extends object>(
    process: SimProcess,
    link: RedisLink,
    slot: number,
    asked: SlotWrite,
  ): Promise<A & { connection: number }> {
    const { watcher } = this.#parts;
    const sent = { process, slot, asked, lives: watcher.asked(process, slot, asked) };
    const apply = (): Promise<A> => this.#apply<A>(sent);
    const name = asked.kind === 'job' ? asked.method : asked.kind;
    const { answer, connection } = await link.call(`ledger.${name}`, () => shortly({ slot, ...asked }), apply);
    watcher.heard(sent, answer);
    return { ...answer, connection };
  }

  async #apply<A extends object>(sent: SentWrite): Promise<A> {
    const { bug, schedule, watcher } = this.#parts;
    const { slot, asked } = sent;
    const image = this.imageOf(slot);
    const write = bug.ask?.(asked, image) ?? asked;
    const look = watcher.beforeWrite(sent, write);
    this.#histories[slot]!.note(schedule.nowMs, write, image);
    const answer = await this.#carryOut(slot, write);
    look(answer);
    return (bug.answer?.(write, answer, this.state.slots) ?? answer) as A;
  }

  #carryOut(slot: number, write: SlotWrite): Promise<object> {
    switch (write.kind) {
      case 'open':
        return this.#ledger.open(write.request);
      case 'commit':
        return this.#ledger.commit(write.request);
      case 'advance':
        return this.#ledger.advance(slot, write.requests);
      case 'job':
        return write.act(this.state.slots[slot]!);
      case 'letters':
        for (const id of write.ids) this.letters.add(id);
        return Promise.resolve({});
    }
  }
}
