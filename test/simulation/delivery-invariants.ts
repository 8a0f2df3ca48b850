/**
 * What the sinks are told: the judgement of each record as it is handed on, taken for final when the checkpoint of the same
 * owner passes the record. What an owner before it delivered, and said so when it released, it need not hand on itself. Once Redis has lost more
 * than settling allows for, records are judged anew, perhaps another copy fresh: then it is at least once.
 */
import { healedKeyOf } from '../../lease/heal-lease.ts';
import { type Lease, type LeaseKey, shardIdOf } from '../../lease/lease.ts';
import { checkpointPosition, type Position, START } from '../../lease/position.ts';
import { positionAt } from '../../worker/ledger/batch-part.ts';
import { FRESH, type Judged } from '../../worker/ledger/judged.ts';
import type { SimProcess } from './sim-process.ts';
import { shortly } from './trace.ts';
import type { Truth } from './truth.ts';
import type { Verdict } from './verdict.ts';

export class DeliveryInvariants {
  readonly #verdict: Verdict;
  readonly #truth: Truth;
  /** By process, then by `lease@position`. */
  readonly #told = new Map<SimProcess, Map<string, number>>();
  /** The newest by anybody. */
  readonly #lastTold = new Map<string, number>();
  /** Where each identity was finally fresh. */
  readonly #fresh = new Map<string, string>();
  readonly #final = new Map<LeaseKey, Position>();
  /** Identities that were ever handed on as fresh. */
  readonly #everFresh = new Set<string>();
  #isAtLeastOnce: boolean = false;

  constructor(verdict: Verdict, truth: Truth) {
    this.#verdict = verdict;
    this.#truth = truth;
  }

  losesSettled(): void {
    this.#isAtLeastOnce = true;
  }

  /** @param from records before it the sinks had. */
  handedOn(process: SimProcess, key: LeaseKey, { batch, judgements }: Judged, from: number): void {
    const told = this.#told.get(process) ?? new Map<string, number>();
    this.#told.set(process, told);
    const identities = this.#truth.identitiesOf(shardIdOf(key));
    for (let i = from; i < batch.records.count; i++) {
      const position = positionAt(batch.records.positions, i);
      told.set(`${key}@${position}`, judgements[i]!);
      this.#lastTold.set(`${key}@${position}`, judgements[i]!);
      const identity = identities.get(position);
      if (judgements[i] === FRESH && identity !== undefined) this.#everFresh.add(identity);
    }
  }

  /** The process's checkpoint was written. */
  checkpointed(process: SimProcess, leaseKey: LeaseKey, lease: Lease): void {
    const key = healedKeyOf(leaseKey);
    const through = checkpointPosition(lease.checkpoint);
    const delivered = deliveredBefore(lease);
    const from = this.#final.get(key);
    const shardId = shardIdOf(key);
    const records = this.#truth.byShard.get(shardId) ?? [];
    for (const { position, identity } of records.filter((one) => one.position > (from ?? START))) {
      if (position > through) break;
      const place = `${key}@${position}`;
      const told = position > delivered ? this.#told.get(process) : this.#lastTold;
      const judgement = told?.get(place);
      this.#verdict.require(
        judgement !== undefined,
        'NothingSkipped',
        () => `${shardId} is checkpointed past ${shortly(position)} by ${process.name}, which never handed it on`,
      );
      if (judgement !== FRESH || identity === undefined) continue;
      const other = this.#fresh.get(identity);
      this.#fresh.set(identity, place);
      this.#verdict.require(
        other === undefined || this.#isAtLeastOnce,
        'FreshOnce',
        () => `${identity} is fresh at ${shortly(other)} and again at ${shortly(place)}`,
      );
    }
    if (from === undefined || through > from) this.#final.set(key, through);
  }

  /** At rest. */
  checkComplete(): void {
    const identities = new Set(this.#truth.records.map((record) => record.identity).filter((one) => one !== undefined));
    const isDelivered = (identity: string): boolean =>
      this.#fresh.has(identity) || (this.#isAtLeastOnce && this.#everFresh.has(identity));
    const missing = [...identities].filter((identity) => !isDelivered(identity));
    this.#verdict.require(
      missing.length === 0,
      'FreshOnce',
      () => `never handed on as fresh: ${missing.slice(0, 5).join(', ')}`,
    );
  }
}

/** Up to where the owner just before said that the sinks have everything. */
function deliveredBefore({ deliveredTo, generation }: Lease): Position {
  return deliveredTo?.generation === generation - 1 ? deliveredTo.position : START;
}
