/**
 * `npm run chaos -- --redis`: faults of real Redis servers, each with some seeds, one after the other; then a table
 * of what Redis lost, what was read again and how long it took.
 */
import { errorMessage } from '../../runtime/errors.ts';
import { CLUSTER_FAULTS } from '../integration/redis-faults/clusters.ts';
import { type DrillReport, drill, isExact, type RedisFault, wrongWith } from '../integration/redis-faults/drill.ts';
import { REDIS_FAULTS } from '../integration/redis-faults/faults.ts';
import { SENTINEL_FAULTS } from '../integration/redis-faults/sentinels.ts';

export interface RedisRunOptions {
  readonly faults: readonly RedisFault[];
  readonly firstSeed: number;
  readonly seeds: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export const ALL_REDIS_FAULTS: readonly RedisFault[] = [...REDIS_FAULTS, ...SENTINEL_FAULTS, ...CLUSTER_FAULTS];

/** True when every promise was kept. The signal ends it between two drills. */
export async function runRedisFaults({ faults, firstSeed, seeds, signal, say }: RedisRunOptions): Promise<boolean> {
  const rows: string[] = [];
  let isGood: boolean = true;
  for (const fault of faults) {
    const reports: DrillReport[] = [];
    for (let seed = firstSeed; seed < firstSeed + seeds && !signal.aborted; seed++) {
      const outcome = await drill(fault, seed).catch((error: unknown) => errorMessage(error));
      if (typeof outcome === 'string') {
        isGood = false;
        say(`${fault.name}, seed ${seed}: ${outcome}`);
        continue;
      }
      const wrong = wrongWith(fault, outcome);
      isGood &&= wrong === undefined;
      say(`${fault.name}, seed ${seed}: ${outcome.records} records, ${wrong ?? 'counted exactly'}`);
      reports.push(outcome);
    }
    if (reports.length > 0) rows.push(rowOf(fault, reports));
  }
  say(
    '\n| fault | records each | lost by Redis | read again: counted already | read again: healed | whole after, median (longest) | counts |',
  );
  say('|---|---|---|---|---|---|---|');
  for (const row of rows) say(row);
  return isGood && !signal.aborted;
}

function rowOf(fault: RedisFault, reports: readonly DrillReport[]): string {
  const range = (pick: (report: DrillReport) => number): string => {
    const values = reports.map(pick).toSorted((a, b) => a - b);
    return values[0] === values.at(-1) ? `${values[0]}` : `${values[0]}–${values.at(-1)}`;
  };
  const healMs = reports.map((report) => Math.round(report.healMs)).toSorted((a, b) => a - b);
  const exact = reports.filter(isExact).length;
  return `| ${[
    fault.name,
    range(({ records }) => records),
    range(({ lost }) => lost),
    range(({ replayed }) => replayed),
    range(({ healed }) => healed),
    `${healMs[Math.floor(healMs.length / 2)]} ms (${healMs.at(-1)} ms)`,
    `${exact} of ${reports.length} exact`,
  ].join(' | ')} |`;
}
