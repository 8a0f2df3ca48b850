/**
 * The ledger's totals as metric series. Pure. Values come from records, so their number is bounded here: the largest
 * by name, the rest together as `other`.
 */
import { parseCounterName } from '../ledger/counter-names.ts';
import type { LedgerTotals } from '../ledger/ledger.ts';

export interface LedgerSeries {
  readonly records: readonly { readonly judgement: string; readonly count: number }[];
  readonly counters: readonly { readonly counter: string; readonly value: string; readonly count: number }[];
  readonly uniques: readonly { readonly unique: string; readonly count: number }[];
  readonly uniqueValues: readonly { readonly unique: string; readonly value: string; readonly count: number }[];
}

const MAX_VALUES = 300;
const OTHER = 'other';

/** Figures of one counter or unique by value. */
type ByValue = Map<string, number>;

export function ledgerSeries(totals: LedgerTotals): LedgerSeries {
  const records = new Map([
    ['fresh', 0],
    ['duplicate', 0],
    ['undecodable', 0],
  ]);
  const uniques = new Map<string, number>();
  const counters = new Map<string, ByValue>();
  const uniqueValues = new Map<string, ByValue>();
  for (const [name, count] of totals) {
    const parsed = parseCounterName(name);
    if (!parsed) continue;
    switch (parsed.kind) {
      case 'counter':
        byValue(counters, parsed.counter).set(parsed.value, count);
        break;
      case 'unique':
        uniques.set(parsed.unique, count);
        break;
      case 'uniqueValue':
        byValue(uniqueValues, parsed.unique).set(parsed.value, count);
        break;
      default:
        records.set(parsed.kind, count);
    }
  }
  return {
    records: [...records].map(([judgement, count]) => ({ judgement, count })),
    counters: [...counters].flatMap(([counter, values]) => largest(values).map((entry) => ({ counter, ...entry }))),
    uniques: [...uniques].map(([unique, count]) => ({ unique, count })),
    uniqueValues: [...uniqueValues].flatMap(([unique, values]) =>
      largest(values).map((entry) => ({ unique, ...entry })),
    ),
  };
}

function byValue(groups: Map<string, ByValue>, name: string): ByValue {
  const group = groups.get(name) ?? new Map<string, number>();
  groups.set(name, group);
  return group;
}

function largest(values: ByValue): { readonly value: string; readonly count: number }[] {
  const ordered = [...values].toSorted(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
  const named = ordered.slice(0, MAX_VALUES).map(([value, count]) => ({ value, count }));
  const rest = ordered.slice(MAX_VALUES).reduce((sum, [, count]) => sum + count, 0);
  if (rest === 0) return named;
  // A record may say "other" itself.
  const same = named.find((entry) => entry.value === OTHER);
  return [...named.filter((entry) => entry !== same), { value: OTHER, count: rest + (same?.count ?? 0) }];
}
