/**
 * What an answer of the ledger may mean to who hears it. "ok" only on the very row that the request names, "applied" only
 * of the very write that was asked before, and never "stale" to a write that was applied and is sent again. Tokens are
 * taken as they were asked, whatever the ledger made of them.
 */
import { shardIdOf } from '../../lease/lease.ts';
import type { AdvanceAnswer, AdvanceRequest, CommitAnswer, LedgerRow, RowMark } from '../../ledger/ledger.ts';
import type { SimProcess } from './sim-process.ts';
import type { SlotWrite } from './slot-history.ts';
import type { Verdict } from './verdict.ts';

type AnswerKind = CommitAnswer['kind'];

/** What a row was last moved to, and by which request. */
interface Move {
  readonly atMs: number;
  readonly shard: string;
  readonly token: string;
  /** Who moved it, in which life, and what it built on. */
  readonly maker: string;
}

export interface ChainParts {
  readonly verdict: Verdict;
  readonly nowMs: () => number;
  readonly slots: number;
}

export class ChainInvariants {
  readonly #parts: ChainParts;
  /** By slot, oldest first. */
  readonly #moves: Move[][];
  /** Openings by process, slot and shard: a consumer's life. */
  readonly #openings = new Map<string, number>();

  /** Answers that say "applied" of a write that was not. */
  readonly #wrong = new WeakMap<object, string>();

  constructor(parts: ChainParts) {
    this.#parts = parts;
    this.#moves = Array.from({ length: parts.slots }, () => []);
  }

  opened(process: SimProcess, slot: number, shard: string): void {
    const place = `${process.name}/${slot}/${shard}`;
    this.#openings.set(place, (this.#openings.get(place) ?? 0) + 1);
  }

  /** The lives in which the requests of a write are sent. */
  livesOf(process: SimProcess, slot: number, write: SlotWrite): readonly string[] {
    return requestsOf(write).map(({ shard }) => {
      return `${process.name}.${this.#openings.get(`${process.name}/${slot}/${shard}`) ?? 0}`;
    });
  }

  /** @param asked as the worker sent it. @param before the rows before it was applied. */
  applied(
    slot: number,
    asked: SlotWrite,
    lives: readonly string[],
    before: readonly (LedgerRow | undefined)[],
    answer: object,
  ): void {
    const kinds = kindsOf(asked, answer);
    requestsOf(asked).forEach((request, i) => {
      const { shard, from, to } = request;
      const token = this.#lastMove(slot, shard)?.token ?? before[i]?.token;
      if (kinds[i] === 'applied' && token !== to.token) this.#wrong.set(answer, `${lives[i]} ${shardIdOf(shard)}`);
      if (kinds[i] !== 'ok') return;
      this.#parts.verdict.require(
        token === from.token,
        'ChainKept',
        () => `${lives[i]} moves ${shardIdOf(shard)} in slot ${slot} from a row that is not the one it names`,
      );
      if (to === from) return;
      const maker = makerOf(request, lives[i]!);
      this.#moves[slot]!.push({ atMs: this.#parts.nowMs(), shard, token: to.token, maker });
    });
  }

  heard(slot: number, asked: SlotWrite, lives: readonly string[], answer: object): void {
    const wrong = this.#wrong.get(answer);
    const { verdict } = this.#parts;
    verdict.require(
      wrong === undefined,
      'ChainKept',
      () => `${wrong} hears "applied" in slot ${slot} of a write that was not`,
    );
    const kinds = kindsOf(asked, answer);
    requestsOf(asked).forEach((request, i) => {
      if (kinds[i] !== 'stale' || request.to === request.from) return;
      verdict.require(
        this.#lastMove(slot, request.shard)?.maker !== makerOf(request, lives[i]!),
        'RetryKnown',
        () => `${lives[i]} sent a write of ${shardIdOf(request.shard)} to slot ${slot} again and is called stale`,
      );
    });
  }

  /** What was moved after that time was not. */
  lostTail(slot: number, untilMs: number): void {
    this.#moves[slot] = this.#moves[slot]!.filter(({ atMs }) => atMs <= untilMs);
  }

  #lastMove(slot: number, shard: string): Move | undefined {
    return this.#moves[slot]!.findLast((move) => move.shard === shard);
  }
}

export function requestsOf(write: SlotWrite): readonly AdvanceRequest[] {
  if (write.kind === 'commit') return [write.request];
  return write.kind === 'advance' ? write.requests : [];
}

/** The answers to `requestsOf`. */
export function kindsOf(write: SlotWrite, answer: unknown): readonly AnswerKind[] {
  if (write.kind === 'commit') return [(answer as CommitAnswer).kind];
  if (write.kind !== 'advance') return [];
  return (answer as { readonly answers: readonly AdvanceAnswer[] }).answers.map(({ kind }) => kind);
}

function makerOf({ from }: { readonly from: RowMark }, life: string): string {
  return `${life}/${from.position}/${from.token}`;
}
