/** The end of the demo: the producer's truth beside the ledger's figures, and whether every fault really struck. */
import type { CountsByValue, FleetCounts } from '../../pipelines/fleet-counts.ts';

export interface Row {
  readonly figure: string;
  readonly truth: number;
  readonly counted: number;
}

export interface Verdict {
  readonly rows: readonly Row[];
  readonly equal: boolean;
}

/** A fault of the script, with how it is known to have struck. */
export interface Strike {
  readonly fault: string;
  readonly struck: boolean;
  readonly evidence: string;
}

/** Compares every figure of the truth, values of nested ones too; a figure that only one side has is unequal. */
export function judge(truth: FleetCounts, counted: FleetCounts): Verdict {
  const rows: Row[] = [];
  for (const figure of union(truth, counted)) {
    const [wanted, got] = [truth[figure], counted[figure]];
    if (typeof wanted === 'object' || typeof got === 'object')
      rows.push(...nested(figure, asValues(wanted), asValues(got)));
    else rows.push({ figure, truth: wanted ?? 0, counted: got ?? 0 });
  }
  return { rows, equal: rows.every((row) => row.truth === row.counted) };
}

/** Values are shown one by one when they are few; many are one row of their sum, and a row for each that differs. */
function nested(figure: string, truth: CountsByValue, counted: CountsByValue): Row[] {
  const keys = union(truth, counted);
  const rows = keys.map((key) => ({ figure: `${figure}.${key}`, truth: truth[key] ?? 0, counted: counted[key] ?? 0 }));
  if (rows.length <= 4) return rows;
  const total = { figure: `${figure} (${rows.length} values)`, truth: sumOf(truth), counted: sumOf(counted) };
  return [total, ...rows.filter((row) => row.truth !== row.counted)];
}

function union(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

function asValues(value: number | CountsByValue | undefined): CountsByValue {
  return typeof value === 'object' ? value : {};
}

function sumOf(values: CountsByValue): number {
  return Object.values(values).reduce((total, value) => total + value, 0);
}

export function verdictText(verdict: Verdict, strikes: readonly Strike[]): string {
  const width = Math.max(...verdict.rows.map((row) => row.figure.length), 'figure'.length);
  const lines = [
    `${'figure'.padEnd(width)}  ${'producer'.padStart(10)}  ${'fleet'.padStart(10)}`,
    ...verdict.rows.map(
      (row) =>
        `${row.figure.padEnd(width)}  ${String(row.truth).padStart(10)}  ${String(row.counted).padStart(10)}  ${
          row.truth === row.counted ? 'equal' : `DIFFERS BY ${row.counted - row.truth}`
        }`,
    ),
  ];
  if (strikes.length > 0) {
    lines.push('', 'faults on the way');
    for (const strike of strikes)
      lines.push(`${strike.struck ? '  struck ' : '  MISSED '} ${strike.fault}: ${strike.evidence}`);
  }
  return lines.join('\n');
}
