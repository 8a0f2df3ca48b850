/** The end of a run of chaos, in words: figures beside the truth, what struck, memory, and what nothing explains. */
import { verdictText } from '../../local/demo/verdict.ts';
import { mebibytes } from './process-figures.ts';
import type { ChaosReport } from './run.ts';

const MESSAGES_SHOWN = 40;

export function reportText({ verdict, rest, struck, violations, fleet, good }: ChaosReport): string {
  const { figures, logs } = fleet;
  const busiest = figures.busiest();
  const total = [...struck.values()].reduce((sum, count) => sum + count, 0);
  return [
    verdictText(verdict, []),
    '',
    `${total} faults struck:`,
    ...[...struck].toSorted(([, a], [, b]) => b - a).map(([card, count]) => `  ${String(count).padStart(4)}  ${card}`),
    '',
    'what the processes said most:',
    ...logs.counts.slice(0, MESSAGES_SHOWN).map(([message, count]) => `  ${String(count).padStart(6)}  ${message}`),
    '',
    figures.table(),
    '',
    ...figures.growths().map(({ name, earlyBytes, lateBytes, ratio }) => {
      const text = `minutes 2–4 of its life ${mebibytes(earlyBytes)} MiB, its last 3 minutes ${mebibytes(lateBytes)} MiB`;
      return `${name.padEnd(16)} ${text}: ${ratio.toFixed(3)}`;
    }),
    ...(busiest
      ? [`busiest minute of a process: ${busiest.name}, ${Math.round(busiest.share * 100)} % of a core`]
      : []),
    ...rest.missing.map((what) => `MISSING after ${Math.round(rest.afterMs / 1_000)} s: ${what}`),
    ...violations.map((what) => `VIOLATION: ${what}`),
    '',
    good
      ? `good: counts equal the truth, at rest ${(rest.afterMs / 1_000).toFixed(1)} s after the last fault`
      : `NOT GOOD: see above. Everything that the processes said is in ${logs.dir}`,
  ].join('\n');
}
