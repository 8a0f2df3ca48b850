/**
 * What must hold of the ledger's slots in every state. Looked at write by write: what a commit brings must be exactly the
 * slot's records between the row's old position and its new one, and an advance may only pass over records of other
 * slots; so each slot stays the image of its rows. The whole image is compared after each failover and now and then.
 */
import { shardIdOf } from '../../lease/lease.ts';
import { type Position, positionOf, START } from '../../lease/position.ts';
import type { AdvanceRequest, CommitRequest, LedgerRow, PositionColumn } from '../../ledger/ledger.ts';
import { ChainInvariants, kindsOf, requestsOf } from './chain-invariants.ts';
import type { LeaseInvariants } from './lease-invariants.ts';
import type { RareEvent } from './rare-events.ts';
import type { SentWrite, SimRedis, SlotWatcher } from './redis.ts';
import { OPERATOR, type SimProcess } from './sim-process.ts';
import type { JobWrite, SlotImage, SlotWrite } from './slot-history.ts';
import { shortly } from './trace.ts';
import type { Truth } from './truth.ts';
import type { Verdict } from './verdict.ts';

export interface SlotInvariantParts {
  readonly verdict: Verdict;
  readonly redis: () => SimRedis;
  readonly truth: Truth;
  readonly leases: LeaseInvariants;
  readonly nowMs: () => number;
  readonly slots: number;
  /** Worker ids that a process has had. */
  readonly idsOf: (process: SimProcess) => ReadonlySet<string>;
  /** A tail that is longer than settling allows for is about to go: this is what was settled until now. */
  readonly onSettledLost: (slot: number, settled: SlotImage) => void;
  readonly saw: (event: RareEvent) => void;
}

export class SlotInvariants implements SlotWatcher {
  readonly #parts: SlotInvariantParts;
  readonly #chain: ChainInvariants;

  constructor(parts: SlotInvariantParts) {
    this.#parts = parts;
    this.#chain = new ChainInvariants(parts);
  }

  asked(process: SimProcess, slot: number, write: SlotWrite): readonly string[] {
    return this.#chain.livesOf(process, slot, write);
  }

  beforeWrite({ process, slot, asked, lives }: SentWrite, write: SlotWrite): (answer: object) => void {
    const { rows } = this.#parts.redis().state.slots[slot]!;
    if (write.kind === 'letters') return () => undefined;
    if (write.kind === 'job') return (answer) => this.#jobDone(write, answer);
    if (write.kind === 'open') {
      const { shard, generation } = write.request;
      const before = rows.get(shard);
      this.#requireRight(process, shard, generation);
      this.#chain.opened(process, slot, shard);
      return () => this.#checkGeneration(slot, before, shard);
    }
    const requests = requestsOf(write);
    const before = requests.map(({ shard }) => rows.get(shard));
    return (answer) => {
      this.#chain.applied(slot, asked, lives, before, answer);
      const kinds = kindsOf(write, answer);
      requests.forEach((request, i) => {
        if (kinds[i] === 'ok') this.#moved(process, slot, before[i], request);
      });
    };
  }

  heard({ slot, asked, lives }: SentWrite, answer: object): void {
    this.#chain.heard(slot, asked, lives, answer);
  }

  losesTail(slot: number, settled: SlotImage | undefined): void {
    if (!settled) return;
    this.#parts.saw('lostWhatWasSettled');
    this.#parts.onSettledLost(slot, settled);
  }

  lostTail(slot: number, untilMs: number): void {
    this.#chain.lostTail(slot, untilMs);
    this.checkImage(slot);
  }

  /** Counters of the slot against the records at or below its rows. */
  checkImage(slot: number): void {
    const { redis, truth, verdict } = this.#parts;
    const { rows, counters } = redis().state.slots[slot]!;
    const reach = new Map([...rows].map(([key, row]) => [shardIdOf(key), row.position]));
    const wanted = truth.countersOf(slot, (shardId) => reach.get(shardId) ?? START);
    const names = new Set([...wanted.keys(), ...counters.keys()]);
    const wrong = [...names].filter((name) => (wanted.get(name) ?? 0) !== (counters.get(name) ?? 0));
    verdict.require(wrong.length === 0, 'SlotExact', () => {
      const shown = wrong.map((name) => `${name} is ${counters.get(name) ?? 0} and not ${wanted.get(name) ?? 0}`);
      return `slot ${slot} is not the image of its rows: ${shown.join(', ')}`;
    });
  }

  #jobDone({ method }: JobWrite, answer: object): void {
    if (method === 'forget' && 'kind' in answer && answer.kind === 'ok') this.#parts.saw('forgotten');
  }

  #moved(
    process: SimProcess,
    slot: number,
    before: LedgerRow | undefined,
    request: AdvanceRequest | CommitRequest,
  ): void {
    this.#requireRight(process, request.shard, request.generation);
    this.#checkGeneration(slot, before, request.shard);
    this.#checkBrought(slot, before, request, 'first' in request ? broughtBy(request) : []);
  }

  #checkBrought(
    slot: number,
    before: LedgerRow | undefined,
    request: AdvanceRequest,
    brought: readonly Position[],
  ): void {
    const { leases, truth, verdict } = this.#parts;
    const shardId = shardIdOf(request.shard);
    const wanted = truth.between(shardId, slot, before?.position ?? START, request.to.position);
    const known = wanted.filter((record) => record.identity !== undefined).map((record) => record.position);
    const rejected = wanted.length - known.length;
    const isSame = known.length === brought.length && known.every((position, i) => position === brought[i]);
    verdict.require(isSame && rejected === rejectedOf(request), 'SlotExact', () => {
      const what = `${brought.length} records and ${rejectedOf(request)} without identity`;
      return `${shardId} moves in slot ${slot} from ${shortly(before?.position)} to ${shortly(request.to.position)} with ${what}, and has ${known.length} and ${rejected} there`;
    });
    if (wanted.length === 0) return;
    const unfinished = leases.unfinishedParents(shardId);
    verdict.require(
      unfinished.length === 0,
      'ParentsFirst',
      () => `records of ${shardId} are counted before ${unfinished.join(', ')} is finished`,
    );
  }

  /** Whoever writes in a generation must be the one whom the lease row gave it to. An operator may mend any row. */
  #requireRight(process: SimProcess, shard: string, generation: number): void {
    if (process.name.startsWith(OPERATOR)) return;
    const holder = this.#parts.leases.holderOf(shard, generation);
    this.#parts.verdict.require(
      holder !== undefined && this.#parts.idsOf(process).has(holder),
      'OneWriter',
      () =>
        `${process.name} writes ${shardIdOf(shard)} in generation ${generation}, which belongs to ${holder ?? 'nobody'}`,
    );
  }

  #checkGeneration(slot: number, before: LedgerRow | undefined, shard: string): void {
    const after = this.#parts.redis().state.slots[slot]!.rows.get(shard);
    this.#parts.verdict.require(
      (after?.generation ?? 0) >= (before?.generation ?? 0),
      'OneOwnerEffects',
      () => `in slot ${slot} ${shardIdOf(shard)} falls to generation ${after?.generation}`,
    );
  }
}

function rejectedOf(request: AdvanceRequest | CommitRequest): number {
  return 'rejected' in request ? request.rejected : 0;
}

function positionsOf({ sequenceNumbers, subSequenceNumbers }: PositionColumn): Position[] {
  return sequenceNumbers.map((sequenceNumber, i) => positionOf(sequenceNumber, subSequenceNumbers?.[i] ?? 0));
}

/** Of the records that have an identity, in order. */
function broughtBy({ first, further }: CommitRequest): Position[] {
  return [...positionsOf(first.positions), ...positionsOf(further)].sort((a, b) => (a < b ? -1 : 1));
}
