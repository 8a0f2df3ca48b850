/** What makes a commit dear, as rows of a table: times that lie apart, and duplicates. */
import { TIMES, type Times } from './login-commits.ts';

const DUPLICATE_SHARES = [0, 0.01, 0.05, 0.3];
const WIDTH = 18;

export async function printGrid(
  say: (text: string) => void,
  columns: readonly string[],
  figuresOf: (times: Times, duplicateShare: number) => Promise<readonly string[]>,
): Promise<void> {
  const line = (times: string, duplicates: string, cells: readonly string[]): void =>
    say(`  ${times.padEnd(14)}${duplicates.padStart(10)}${cells.map((cell) => cell.padStart(WIDTH)).join('')}`);
  line('times', 'duplicates', columns);
  for (const times of TIMES) {
    for (const share of DUPLICATE_SHARES) line(times, `${share * 100} %`, await figuresOf(times, share));
  }
}
