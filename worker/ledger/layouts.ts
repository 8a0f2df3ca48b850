/**
 * What one slot is known to have of buckets per period, and what a commit names of it. Known from open and from
 * `layout` answers; a commit that names something else changes nothing and is told the truth.
 */
import { neighbourPeriods, planBuckets, planNextBuckets } from '../../ledger/buckets.ts';
import type { CountedLayout, Layout, LedgerSpec } from '../../ledger/ledger.ts';
import type { BatchPart } from './batch-part.ts';

export interface LayoutClaim {
  /** The part's own period first. */
  readonly layouts: readonly Layout[];
  readonly newBuckets: number;
}

/** How far from the period in work others are kept. A shard that lags must not forget its own for the newest one's sake. */
const PERIODS_KEPT = 8;

export class Layouts {
  readonly #spec: LedgerSpec;
  readonly #known = new Map<number, CountedLayout>();
  /** Periods of which the slot was asked before it began the one after. */
  readonly #asked = new Set<number>();

  constructor(spec: LedgerSpec, known: readonly CountedLayout[]) {
    this.#spec = spec;
    this.learn(known);
  }

  learn(layouts: readonly CountedLayout[]): void {
    for (const layout of layouts) this.#known.set(layout.period, layout);
  }

  /**
   * A period that begins is planned from how many identities the last one has, which was learned long ago: so that
   * one is claimed as not begun, once, and the answer tells. Never for fewer than expected: the last one may have begun
   * with the fleet, shortly before its end, or may still be being read by others.
   */
  claim(part: Pick<BatchPart, 'period' | 'firstArrivalMs' | 'lastArrivalMs'>): LayoutClaim {
    const { period } = part;
    this.#forgetFarFrom(period);
    const neighbours = neighbourPeriods(part.firstArrivalMs, part.lastArrivalMs, this.#spec);
    const begins = this.#bucketsOf(period) === undefined;
    if (begins && neighbours.includes(period - 1) && !this.#asked.has(period - 1)) {
      this.#asked.add(period - 1);
      this.#known.delete(period - 1);
    }
    const last = this.#known.get(period - 1);
    return {
      layouts: [period, ...neighbours].map((each) => ({ period: each, buckets: this.#bucketsOf(each) })),
      newBuckets: Math.max(
        planBuckets(this.#spec.expectedIdentitiesPerSlot),
        last?.buckets === undefined ? 0 : planNextBuckets(last.identities),
      ),
    };
  }

  /** A commit with this claim was applied: what it claimed is true, and its own period has begun. */
  accept({ layouts: [own], newBuckets }: LayoutClaim): void {
    if (own && own.buckets === undefined) this.learn([{ period: own.period, buckets: newBuckets, identities: 0 }]);
  }

  #forgetFarFrom(period: number): void {
    const isFar = (other: number): boolean => Math.abs(other - period) > PERIODS_KEPT;
    for (const other of this.#known.keys()) if (isFar(other)) this.#known.delete(other);
    for (const other of this.#asked) if (isFar(other)) this.#asked.delete(other);
  }

  #bucketsOf(period: number): number | undefined {
    return this.#known.get(period)?.buckets;
  }
}
