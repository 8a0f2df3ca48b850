/**
 * What the stages after the ledger are told: the judgement of each record as it is handed on, taken for final when the
 * checkpoint of the same owner passes the record. What a file would then have is exactly this.
 */
import { type LeaseKey, shardIdOf } from '../../lease/lease.ts';
import type { Position } from '../../lease/position.ts';
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
  /** Where each identity was finally fresh. */
  readonly #fresh = new Map<string, string>();
  readonly #final = new Map<LeaseKey, Position>();

  constructor(verdict: Verdict, truth: Truth) {
    this.#verdict = verdict;
    this.#truth = truth;
  }

  handedOn(process: SimProcess, key: LeaseKey, { batch, judgements }: Judged): void {
    const told = this.#told.get(process) ?? new Map<string, number>();
    this.#told.set(process, told);
    for (let i = 0; i < batch.records.count; i++)
      told.set(`${key}@${positionAt(batch.records.positions, i)}`, judgements[i]!);
  }

  /** The process's checkpoint was written. */
  checkpointed(process: SimProcess, key: LeaseKey, through: Position): void {
    const from = this.#final.get(key);
    const shardId = shardIdOf(key);
    const records = this.#truth.byShard.get(shardId) ?? [];
    for (const { position, identity } of records) {
      if ((from !== undefined && position <= from) || position > through) continue;
      const place = `${key}@${position}`;
      const judgement = this.#told.get(process)?.get(place);
      this.#verdict.require(
        judgement !== undefined,
        'NothingSkipped',
        () => `${shardId} is checkpointed past ${shortly(position)} by ${process.name}, which never handed it on`,
      );
      if (judgement !== FRESH || identity === undefined) continue;
      const other = this.#fresh.get(identity);
      this.#fresh.set(identity, place);
      this.#verdict.require(
        other === undefined,
        'FreshOnce',
        () => `${identity} is fresh at ${shortly(other)} and again at ${shortly(place)}`,
      );
    }
    if (from === undefined || through > from) this.#final.set(key, through);
  }

  /** At rest. */
  checkComplete(): void {
    const identities = new Set(this.#truth.records.map((record) => record.identity).filter((one) => one !== undefined));
    const missing = [...identities].filter((identity) => !this.#fresh.has(identity));
    this.#verdict.require(
      missing.length === 0,
      'FreshOnce',
      () => `never handed on as fresh: ${missing.slice(0, 5).join(', ')}`,
    );
  }
}
