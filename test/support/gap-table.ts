/** Figures of gaps and of their phases, as a table to print. */
import type { Change } from './gap-phases.ts';

export interface Figures {
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Of a list in any order; of an empty one all zeros. A percentile is a value of the list: the nearest rank. */
export function figuresOf(values: readonly number[]): Figures {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { n: sorted.length, min: sorted[0] ?? 0, median: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** One row for the gaps, then one per phase in the order in which they first appear. */
export function gapTable(title: string, changes: readonly Change[]): string {
  const phases = [...new Set(changes.flatMap((change) => [...change.phases.keys()]))];
  const rows = phases.map((phase) =>
    row(
      phase,
      changes.flatMap((change) => change.phases.get(phase) ?? []),
    ),
  );
  const gaps = row(
    'gap',
    changes.map((change) => change.gapMs),
  );
  return [`${title}, milliseconds`, line(['', 'n', 'min', 'median', 'p95', 'p99', 'max']), gaps, ...rows].join('\n');
}

function row(name: string, values: readonly number[]): string {
  const { n, min, median, p95, p99, max } = figuresOf(values);
  return line([name, String(n), ...[min, median, p95, p99, max].map((value) => value.toFixed(0))]);
}

function line([name = '', ...cells]: readonly string[]): string {
  return `  ${name.padEnd(46)}${cells.map((cell) => cell.padStart(8)).join('')}`;
}
