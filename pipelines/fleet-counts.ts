/**
 * The exact totals of a fleet in the words of its pipeline, as `kinesis-fleet counts --json` prints them. A counter
 * named `format` becomes `formats`, a unique named `players` becomes `uniquePlayers`; formats that never came count 0.
 */
import { counterName, DUPLICATE, FRESH, parseCounterName, UNDECODABLE, uniqueName } from '../ledger/counter-names.ts';
import type { LedgerTotals } from '../ledger/ledger.ts';
import type { Counter, Pipeline, Unique } from './pipeline.ts';

export type CountsByValue = Readonly<Record<string, number>>;

export interface FleetCounts {
  readonly records: number;
  readonly fresh: number;
  readonly duplicate: number;
  readonly undecodable: number;
  readonly [counter: string]: number | CountsByValue;
}

export function fleetCountsOf(pipeline: Pipeline, totals: LedgerTotals): FleetCounts {
  const [fresh, duplicate, undecodable] = [FRESH, DUPLICATE, UNDECODABLE].map((name) => totals.get(name) ?? 0) as [
    number,
    number,
    number,
  ];
  const counters = pipeline.counters.map((counter) => [`${counter.name}s`, countsOf(pipeline, counter, totals)]);
  const uniques = pipeline.uniques.map((unique) => [uniqueKey(unique.name), membersOf(unique, totals)]);
  return {
    ...{ records: fresh + duplicate + undecodable, fresh, duplicate, undecodable },
    ...Object.fromEntries([...counters, ...uniques]),
  };
}

function countsOf(pipeline: Pipeline, counter: Counter, totals: LedgerTotals): CountsByValue {
  if (counter.by !== 'format') return valuesOf(totals, 'counter', counter.name);
  const names = pipeline.formats.map((format) => format.name).toSorted();
  return Object.fromEntries(names.map((name) => [name, totals.get(counterName(counter.name, name)) ?? 0]));
}

function membersOf(unique: Unique, totals: LedgerTotals): number | CountsByValue {
  if (unique.per === undefined) return totals.get(uniqueName(unique.name)) ?? 0;
  return valuesOf(totals, 'uniqueValue', unique.name);
}

/** The values of a counter or of a unique per value, in the order of their text. */
function valuesOf(totals: LedgerTotals, kind: 'counter' | 'uniqueValue', name: string): CountsByValue {
  const found: (readonly [string, number])[] = [];
  for (const [total, count] of totals) {
    const parsed = parseCounterName(total);
    if (parsed?.kind === 'counter' && kind === 'counter' && parsed.counter === name) found.push([parsed.value, count]);
    if (parsed?.kind === 'uniqueValue' && kind === 'uniqueValue' && parsed.unique === name) {
      found.push([parsed.value, count]);
    }
  }
  return Object.fromEntries(found.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function uniqueKey(unique: string): string {
  return `unique${unique.charAt(0).toUpperCase()}${unique.slice(1)}`;
}
